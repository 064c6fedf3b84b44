import type { AttemptFunction } from '../engine/attempt.ts';
import { execute } from '../engine/execute.ts';
import type { RetryOptions } from '../engine/options.ts';
import { createPolicy, type Policy } from '../engine/policy.ts';
import { checkPerCall } from '../engine/validate.ts';
import { worstCase } from '../engine/worst-case.ts';
import { keptPolicies } from './kept-policies.ts';
import { requireFunction } from './require-function.ts';
import { type Wrapped, wrap } from './wrap.ts';

/**
 * Options that were checked once and are used by any number of calls, at the same time too: a policy holds no state
 * of a call.
 *
 * @example
 * ```ts
 * const policy = new RetryPolicy({ operation: 'load_user', maxAttempts: 5, attemptTimeout: 2000 });
 * const user = await policy.execute(({ signal }) => loadUser(id, signal));
 * ```
 */
export class RetryPolicy<T = unknown, F = never> {
  /** Aborts every call of this policy that is not given a signal of its own. */
  readonly signal: AbortSignal | undefined;
  /** The deadline of every call of this policy that is not given one of its own. */
  readonly deadline: Date | number | undefined;
  readonly #policy: Policy;

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: RetryOptions<T, F> = {}) {
    this.#policy = createPolicy(options);
    keptPolicies.set(this, this.#policy);
    this.signal = this.#policy.signal;
    this.deadline = this.#policy.deadline;
    Object.freeze(this);
  }

  /**
   * Runs one call under this policy; see {@link retry}.
   *
   * @throws TypeError or RangeError at once, when `perCall` has another option than these, or a wrong value
   */
  execute<R extends T>(fn: AttemptFunction<R>, perCall?: CallOptions): Promise<R | F> {
    requireFunction('execute', fn);
    if (perCall === undefined) return execute<R | F>(this.#policy, fn, this);
    checkPerCall(perCall);
    const { signal = this.signal, deadline = this.deadline } = perCall;
    return execute<R | F>(this.#policy, fn, { signal, deadline });
  }

  /** Makes a function of the same signature that retries; see {@link withRetry}. */
  wrap<This, Args extends unknown[], R extends T | PromiseLike<T>>(
    fn: (this: This, ...args: Args) => R,
  ): Wrapped<This, Args, R | F> {
    requireFunction('wrap', fn);
    return wrap(fn, this.#policy);
  }

  /**
   * The longest time that a call can take, in milliseconds, when no attempt takes longer than `attemptMs`: every wait
   * at its longest, plus every attempt, bounded by `attemptTimeout` and `maxElapsed`. With `'with_hints'` every wait
   * counts as long as a server may ask for, which is `maxDelay`.
   *
   * @throws TypeError or RangeError when `attemptMs` is not a number of milliseconds from 0
   */
  worstCase(attemptMs: number, hints: 'without_hints' | 'with_hints' = 'without_hints'): number {
    return worstCase(this.#policy, attemptMs, hints);
  }
}

/** What one call of a policy may have of its own. */
export interface CallOptions {
  /** Aborts this call, in place of the policy's signal. */
  readonly signal?: AbortSignal | undefined;
  /** The latest time at which this call may end, in place of the policy's deadline. */
  readonly deadline?: Date | number | undefined;
}
