import { read } from '../../../src/engine/read.ts';
import type { RedisArgument } from '../../../src/services/redis/index.ts';
import type { Library } from '../../libraries/library.ts';
import { applied, type Callable, patchMethod, prototypeOf } from '../../libraries/patching.ts';
import { hostOf } from './host-of.ts';
import { retriedCommand } from './redis-rule.ts';

/** Single commands of node-redis. Its transactions pass elsewhere. */
export const nodeRedis: Library = {
  name: 'redis',
  does: 'retries',
  module: '@redis/client',
  versions: ['>=5 <7'],
  file: 'dist/lib/client/index.js',
  patch: exports => {
    patchMethod(prototypeOf(exports, 'default'), 'sendCommand', sendCommand);
    return exports;
  },
};

function sendCommand(original: Callable, self: unknown, args: unknown[]): unknown {
  const [command] = args;
  const [name, ...rest] = Array.isArray(command) ? command : [];
  if (typeof name !== 'string') return applied(original, self, args);
  const socket = read(read(self, 'options'), 'socket');
  const retried = retriedCommand({
    client: self as object,
    hosts: [hostOf(read(socket, 'host') ?? 'localhost', read(socket, 'port'), 6379)],
    name,
    args: rest as RedisArgument[],
    send: () => applied(original, self, args) as Promise<unknown>,
  });
  return retried ?? applied(original, self, args);
}
