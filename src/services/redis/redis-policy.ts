import { classify, type RetryOn } from '../../engine/classify.ts';
import { checkBoolean } from '../../engine/option-checks.ts';
import type { RetryOptions } from '../../engine/options.ts';
import { validateOptions } from '../../engine/validate.ts';
import { RetryPolicy } from '../../forms/retry-policy.ts';
import { type ServiceKindTerms, type ServiceOptions, serviceOptions } from '../service-policy.ts';
import { classifyRedisError, mayHaveRun } from './classify-redis-error.ts';
import { noteClientRetries } from './client-retries.ts';

/** How calls of Redis are retried: the options of a policy, with the defaults of {@link REDIS_DEFAULTS}. */
export interface RedisRetryOptions<T = unknown, F = never> extends ServiceOptions<T, F> {
  /**
   * Whether the work may be done twice without harm. Where it may not, an error that leaves open whether the command was
   * carried out (`mayHaveRun`) ends the call, and `hedge` counts for nothing: no second attempt starts beside a slow one.
   * Default false; `retryCommand` knows it of most commands.
   */
  readonly idempotent?: boolean;
}

/** What holds where an option is left out: five attempts in about a second and a half, as long as most failovers. */
export const REDIS_DEFAULTS: Readonly<Required<Pick<RetryOptions, 'maxAttempts' | 'initialDelay' | 'maxDelay'>>> =
  Object.freeze({ maxAttempts: 5, initialDelay: 100, maxDelay: 2000 });

/**
 * A policy for calls of Redis, for `withRetry`, decorators and the other forms.
 *
 * A call that is retried comes later than those which are sent meanwhile: of two `SET`s of one key that do not wait for each
 * other, the first may be the one that lasts. Await the first before you send the second where the order matters.
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
  const checked = serviceOptions(REDIS, options, retryOn => refine(retryOn ?? classifyRedisError, mayRepeat));
  return new RetryPolicy(mayRepeat ? checked : withoutHedge(checked));
}

const REDIS: ServiceKindTerms = {
  what: 'redis options',
  budget: 'redis',
  defaults: REDIS_DEFAULTS,
  checks: { idempotent: checkBoolean },
};

/** A hedge sends what was sent already, though nothing says that it was not carried out. A wrong one is told all the same. */
function withoutHedge<T, F>({ hedge, ...rest }: RetryOptions<T, F>): RetryOptions<T, F> {
  if (hedge !== undefined) validateOptions({ hedge });
  return rest;
}

function refine(retryOn: RetryOn, mayRepeat: boolean): RetryOn {
  // A wrong `retryOn` is told in the caller's own words, where the policy is made.
  if (typeof retryOn !== 'function' && typeof retryOn !== 'string' && !Array.isArray(retryOn)) return retryOn;
  return (error, { attempt }) => {
    noteClientRetries(error);
    return !mayRepeat && mayHaveRun(error) ? 'permanent' : classify(retryOn, error, attempt);
  };
}
