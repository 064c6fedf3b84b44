import type { AttemptFunction } from '../engine/attempt.ts';
import { execute } from '../engine/execute.ts';
import type { RetryOptions } from '../engine/options.ts';
import { policyFor } from './policy-for.ts';
import { requireFunction } from './require-function.ts';
import type { RetryPolicy } from './retry-policy.ts';

/**
 * Calls `fn` until it succeeds, or until the policy says stop; resolves with its value, or rejects with its last
 * error, untouched.
 *
 * @param fn the function to run; synchronous or not. It is told of the attempt: see {@link AttemptContext}.
 * @param options what to retry and how, or a {@link RetryPolicy}; see {@link RetryOptions} for the defaults
 * @throws TypeError or RangeError at once, when an option is wrong
 *
 * @example
 * ```ts
 * const rates = await retry(({ signal }) => fetchRates(signal), { operation: 'fetch_rates', maxAttempts: 4 });
 * ```
 */
export function retry<T, F = never>(
  fn: AttemptFunction<T>,
  options?: RetryOptions<NoInfer<T>, F> | RetryPolicy<NoInfer<T>, F>,
): Promise<T | F> {
  requireFunction('retry', fn);
  const policy = policyFor(options);
  // Signal and deadline belong to the call, not to the policy: they are read anew although the rest is cached.
  return execute<T | F>(policy, fn, options ?? NOTHING);
}

const NOTHING = Object.freeze({});
