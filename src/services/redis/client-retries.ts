import { rememberGivenUp } from '../../engine/nesting.ts';
import { read } from '../../engine/read.ts';
import { runtime } from '../../engine/runtime.ts';

/**
 * Options for the clients that leave retries to the policy and reconnecting to the client, so that attempts do not
 * multiply and a broken connection is noticed at once:
 *
 * - `ioredis`: commands are neither queued while there is no connection nor sent again after it broke. With its defaults a
 *   command waits through 20 reconnects, and **any** command is sent again after a break, an `INCR` too.
 * - `nodeRedis`: commands are not queued while there is no connection. It never sends one again by itself.
 *
 * @example
 * ```ts
 * const redis = new Redis(url, { ...REDIS_CLIENT_OPTIONS.ioredis });
 * ```
 */
export const REDIS_CLIENT_OPTIONS: {
  readonly ioredis: {
    readonly maxRetriesPerRequest: 0;
    readonly enableOfflineQueue: false;
    readonly autoResendUnfulfilledCommands: false;
  };
  readonly nodeRedis: { readonly disableOfflineQueue: true };
} = Object.freeze({
  ioredis: Object.freeze({
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
  }),
  nodeRedis: Object.freeze({ disableOfflineQueue: true }),
});

/**
 * Remembers that ioredis has waited through reconnects within the present attempt, if its error says so: to the engine
 * that is a layer nearer to the failure, and under `nested: 'inner'` nobody retries above it.
 */
export function noteClientRetries(error: unknown): void {
  if (clientRetries(error) === 0 || typeof error !== 'object' || error === null || noted.has(error)) return;
  noted.add(error);
  // Later than the start of the attempt, as a call inside it would be.
  const startedAs = ++runtime.sequence;
  rememberGivenUp({ startedAs, attemptStartedAs: startedAs }, error, undefined);
}

/** One object rejects everything that waited in the queue. */
const noted = new WeakSet<object>();

/** How many reconnects ioredis says that it waited through. */
function clientRetries(error: unknown): number {
  if (read(error, 'name') !== 'MaxRetriesPerRequestError') return 0;
  const count = /which is (\d{1,9})\)/.exec(String(read(error, 'message')))?.[1];
  return count === undefined ? 0 : Number(count);
}
