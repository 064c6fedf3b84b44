import { classify, type RetryOn } from '../../engine/classify.ts';
import { checkBoolean } from '../../engine/option-checks.ts';
import type { RetryOptions } from '../../engine/options.ts';
import { RetryPolicy } from '../../forms/retry-policy.ts';
import { type ServiceKindTerms, type ServiceOptions, serviceOptions } from '../service-policy.ts';
import { classifyRedisError, mayHaveRun } from './classify-redis-error.ts';
import { noteClientRetries } from './client-retries.ts';

/** How calls of Redis are retried: the options of a policy, with the defaults of {@link REDIS_DEFAULTS}. */
export interface RedisRetryOptions<T = unknown, F = never> extends ServiceOptions<T, F> {
  /**
   * Whether the work may be done twice without harm. Where it may not, an error that leaves open whether the command was
   * carried out (`mayHaveRun`) ends the call. Default false; `retryCommand` knows it of most commands.
   */
  readonly idempotent?: boolean;
}

/** What holds where an option is left out: five attempts in about a second and a half, as long as most failovers. */
export const REDIS_DEFAULTS: Readonly<Required<Pick<RetryOptions, 'maxAttempts' | 'initialDelay' | 'maxDelay'>>> =
  Object.freeze({ maxAttempts: 5, initialDelay: 100, maxDelay: 2000 });

/**
 * A policy for calls of Redis, for `withRetry`, decorators and the other forms.
 *
 * @throws TypeError or RangeError, naming the option, the value and what is allowed
 *
 * @example
 * ```ts
 * const policy = redisPolicy({ operation: 'session_read', idempotent: true });
 * const readSession = policy.wrap((id: string) => redis.get(`session:${id}`));
 * ```
 */
export function redisPolicy<T = unknown, F = never>(options: RedisRetryOptions<T, F> = {}): RetryPolicy<T, F> {
  const mayRepeat = options?.idempotent === true;
  return new RetryPolicy(serviceOptions(REDIS, options, retryOn => refine(retryOn ?? classifyRedisError, mayRepeat)));
}

const REDIS: ServiceKindTerms = {
  what: 'redis options',
  budget: 'redis',
  defaults: REDIS_DEFAULTS,
  checks: { idempotent: checkBoolean },
};

function refine(retryOn: RetryOn, mayRepeat: boolean): RetryOn {
  // A wrong `retryOn` is told in the caller's own words, where the policy is made.
  if (typeof retryOn !== 'function' && typeof retryOn !== 'string' && !Array.isArray(retryOn)) return retryOn;
  return (error, { attempt }) => {
    noteClientRetries(error);
    return !mayRepeat && mayHaveRun(error) ? 'permanent' : classify(retryOn, error, attempt);
  };
}
