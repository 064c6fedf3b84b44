import type { AttemptContext, AttemptFunction } from '../../engine/attempt.ts';
import { requireFunction } from '../../forms/require-function.ts';
import type { RetryPolicy } from '../../forms/retry-policy.ts';
import { noteClientRetries } from './client-retries.ts';
import { type RedisRetryOptions, redisPolicy } from './redis-policy.ts';

/**
 * Runs a function that talks to Redis, and retries it when Redis is loading, failing over or out of reach; see
 * `classifyRedisError` for what is retried. Say `idempotent: true` for reads, and for writes that may be made twice:
 * without it, a connection that breaks after the command was sent ends the call, and nothing is hedged. Transactions belong
 * here as a whole, `WATCH` included. As with `retryCommand`, what is retried comes later than what is sent meanwhile.
 *
 * Operation: the function's name where none is given. Budget: `redis`.
 *
 * @throws TypeError or RangeError at once, when an option is wrong
 *
 * @example
 * ```ts
 * const name = await retryRedis(() => redis.hget('user:1', 'name'), { operation: 'user_name', idempotent: true });
 * ```
 */
export function retryRedis<T, F = never>(fn: AttemptFunction<T>, options?: RedisRetryOptions<T, F>): Promise<T | F> {
  requireFunction('retryRedis', fn);
  return policyOf(options).execute(noting(fn)) as Promise<T | F>;
}

/** The function of the same name that tells the engine of retries that the client made within it. */
export function noting<T>(fn: AttemptFunction<T>): AttemptFunction<T> {
  const noted = async (attempt: AttemptContext): Promise<T> => {
    try {
      return await fn(attempt);
    } catch (error) {
      noteClientRetries(error);
      throw error;
    }
  };
  return Object.defineProperty(noted, 'name', { value: fn.name });
}

/** The same options object gives the same policy again. */
function policyOf<T, F>(options: RedisRetryOptions<T, F> | undefined): RetryPolicy<T, F> {
  const key = options === undefined ? NOTHING : options;
  if (typeof key !== 'object') return redisPolicy(key);
  const policy = policies.get(key) ?? (redisPolicy(key) as RetryPolicy<unknown, unknown>);
  policies.set(key, policy);
  return policy as RetryPolicy<T, F>;
}

const NOTHING: RedisRetryOptions<never, never> = Object.freeze({});
const policies = new WeakMap<object, RetryPolicy<unknown, unknown>>();
