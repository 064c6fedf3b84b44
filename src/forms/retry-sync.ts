import type { AttemptFunction } from '../engine/attempt.ts';
import { executeSync } from '../engine/execute-sync.ts';
import type { RetryOptions } from '../engine/options.ts';
import { policyFor } from './policy-for.ts';
import { requireFunction } from './require-function.ts';
import type { RetryPolicy } from './retry-policy.ts';

/**
 * {@link retry} for scripts and start-up code: it **blocks the thread** while it waits, so nothing else of the process
 * runs meanwhile. Never use it in a server.
 *
 * @throws TypeError when `fn` returns a promise, or when the policy has an `attemptTimeout`: nothing can interrupt a
 * synchronous function
 *
 * @example
 * ```ts
 * const config = retrySync(() => readFileSync('/mnt/share/config.json', 'utf8'), { initialDelay: 200 });
 * ```
 */
export function retrySync<T, F = never>(
  fn: AttemptFunction<T>,
  options?: RetryOptions<NoInfer<T>, F> | RetryPolicy<NoInfer<T>, F>,
): T | F {
  requireFunction('retrySync', fn);
  return executeSync<T | F>(policyFor(options), fn, options ?? {});
}
