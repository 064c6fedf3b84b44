import type { RetryOptions } from '../engine/options.ts';
import { policyFor } from './policy-for.ts';
import { requireFunction } from './require-function.ts';
import type { RetryPolicy } from './retry-policy.ts';
import { type Wrapped, wrap } from './wrap.ts';

/**
 * Makes a function that retries out of one that does not. It keeps the parameters, `this`, the name and the length;
 * the result becomes a promise if it was none.
 *
 * @throws TypeError or RangeError at once, when an option is wrong
 *
 * @example
 * ```ts
 * const loadUserReliably = withRetry(loadUser, { maxAttempts: 5 });
 * const user = await loadUserReliably('42');
 * ```
 */
export function withRetry<This, Args extends unknown[], R, F = never>(
  fn: (this: This, ...args: Args) => R,
  options?: RetryOptions<NoInfer<Awaited<R>>, F> | RetryPolicy<NoInfer<Awaited<R>>, F>,
): Wrapped<This, Args, R | F> {
  requireFunction('withRetry', fn);
  return wrap(fn, policyFor(options));
}
