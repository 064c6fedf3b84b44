import { describeWithProgram } from '../../support/needs-program.ts';
import { hasRedisServer } from './redis-server.ts';

/**
 * `describe` for tests that need a redis-server; `isThere` says whether what they need is there, if that is something
 * else than a server of their own.
 */
export function describeWithRedis(name: string, body: () => void, isThere: () => boolean = () => hasRedisServer): void {
  describeWithProgram({ name: 'redis-server', debianPackage: 'redis-server', isThere: isThere() }, name, body);
}
