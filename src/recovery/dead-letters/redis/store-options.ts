import type { Clock } from '../../../engine/clock.ts';
import { type Check, checkClock, checkOptions, milliseconds, oneOf } from '../../../engine/option-checks.ts';
import { checkRedis, type RedisClient } from '../../../limits/redis/redis-commands.ts';
import type { Retention } from '../retention.ts';
import { checkLetterPrefix } from './store-keys.ts';

/** The options of a `RedisDeadLetterStore`. */
export interface RedisDeadLetterStoreOptions {
  /** A connected client, or a cluster, of ioredis or node-redis; the store neither connects nor closes it. */
  readonly redis: RedisClient;
  /**
   * What the keys begin with; `{letters}` follows as the hash tag, so that a cluster keeps all of them on one node. Stores
   * with different prefixes know nothing of each other. Default `retryscope:dead-letters:`. At most 200 characters, no
   * braces, no control characters.
   */
  readonly keyPrefix?: string;
  /**
   * What happens where Redis may lose a letter that it has acknowledged: without `appendonly yes` and `appendfsync
   * always`, with `no-appendfsync-on-rewrite yes`, or with a `maxmemory-policy` that deletes keys at will. Default
   * `'require'`: `put` rejects with {@link RedisNotDurableError}. `'warn'`: one warning of the process for each finding.
   */
  readonly durability?: 'require' | 'warn';
  /** How long each request may take, in milliseconds. Default 5000. Range 1 to 2^31-1. */
  readonly timeoutMs?: number;
  readonly retention?: Retention;
  /** Time-outs. What a letter and a lease go by is Redis' own time. */
  readonly clock?: Clock;
}

/** @throws TypeError or RangeError, naming the option, the value and what is allowed */
export function checkStoreOptions(options: RedisDeadLetterStoreOptions): void {
  checkOptions('the options of a RedisDeadLetterStore', options, CHECKS);
  CHECKS.redis('redis', options.redis);
}

const CHECKS: Readonly<Record<keyof RedisDeadLetterStoreOptions, Check>> = {
  redis: checkRedis,
  keyPrefix: checkLetterPrefix,
  durability: oneOf('require', 'warn'),
  timeoutMs: milliseconds(1),
  retention: () => undefined,
  clock: checkClock,
};
