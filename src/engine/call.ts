import { Attempt, type AttemptFunction } from './attempt.ts';
import { decide, type Interruption, isRefused } from './decide.ts';
import { AttemptTimeoutError, DeadlineExceededError, RefusedResultError } from './errors.ts';
import { callHook } from './hook.ts';
import { type Limits, withLimits } from './limit.ts';
import type { CallScope } from './observer.ts';
import type { DelaySource, ErrorClass, StopReason } from './outcome.ts';
import { operationOf, type Policy } from './policy.ts';
import { readHint } from './retry-after.ts';
import { MAX_REMEMBERED_ERRORS, type RetrySummary } from './retry-summary.ts';
import { runtime } from './runtime.ts';
import { rememberSummary } from './summary.ts';
import { Watch } from './watch.ts';

/**
 * One call on its way: what it has done so far, and the steps that each form puts in its own order. Every ending goes
 * through `succeed`, `failed` and `giveUp`.
 *
 * Thousands of calls may wait at the same time, so a call holds little; what only watched calls need is in `Watch`.
 */
export class Call<T> {
  readonly policy: Policy;
  readonly signal: AbortSignal | undefined;
  attempts = 0;
  /** Why the call cannot go on, once that is so. */
  interruption: Interruption | undefined = undefined;
  /** What the last failed attempt threw; undefined before the first failure. */
  lastError: unknown = undefined;
  readonly #fn: AttemptFunction<T>;
  /** Undefined when nobody watches, and once the call has ended: nothing is told after its end. */
  #watch: Watch | undefined;
  /** Undefined when nothing needs the clock: neither a watcher nor `maxElapsed`. */
  readonly #startedAt: number | undefined;
  #delayMs = 0;
  #totalDelayMs = 0;
  #delaySource: DelaySource = 'none';
  /** The result that `retryOnResult` refused last, if the last failure was that. */
  #refused: { readonly result: T } | undefined = undefined;
  #earlierErrors: unknown[] | undefined = undefined;

  constructor(policy: Policy, fn: AttemptFunction<T>, signal: AbortSignal | undefined, scope: CallScope | undefined) {
    this.policy = policy;
    this.signal = signal;
    this.#fn = fn;
    this.#startedAt = scope !== undefined || policy.maxElapsed !== Infinity ? policy.clock.now() : undefined;
    this.#watch = scope === undefined ? undefined : new Watch(scope, this.#startedAt as number);
  }

  get maxAttempts(): number {
    return Math.min(this.policy.maxAttempts, runtime.testing?.attempts ?? Infinity);
  }

  get operation(): string {
    return operationOf(this.policy, this.#fn);
  }

  /** Runs the first or next attempt, within its limits. */
  attempt(): T | PromiseLike<T> {
    const attempt = this.#begin();
    return this.signal !== undefined || this.policy.limited
      ? withLimits(this.#limitsOf(attempt), () => this.#invoke(attempt))
      : this.#invoke(attempt);
  }

  /** Runs an attempt that nothing can interrupt. */
  attemptSync(): T | PromiseLike<T> {
    return this.#invoke(this.#begin());
  }

  /** Waits for something that is no attempt, as long as the call may. */
  wait<R>(work: () => PromiseLike<R>): PromiseLike<R> {
    return this.signal === undefined && !this.policy.limited ? work() : withLimits(this.#limitsOf(undefined), work);
  }

  /** The wait before the next attempt; rejects when the signal aborts. Undefined when a test wants no waits. */
  pause(): Promise<void> | undefined {
    const { clock, hold } = this.policy;
    return runtime.testing?.delays === 'none' ? undefined : clock.sleep(this.#delayMs, this.signal, hold);
  }

  /** The same wait for the synchronous loop: blocks the thread. */
  block(): void {
    if (runtime.testing?.delays !== 'none') this.policy.clock.block(this.#delayMs);
  }

  /** Why the next attempt may not start, if so: the signal has aborted, or `maxElapsed` has passed meanwhile. */
  obstacle(): StopReason | undefined {
    if (this.signal?.aborted === true) return 'aborted';
    return this.#remainingMs() <= 0 ? 'deadline_exceeded' : undefined;
  }

  /** True when the last attempt brought a result that was refused. */
  get isRefused(): boolean {
    return this.#refused !== undefined;
  }

  /** The call ends with `value`. */
  succeed(value: T): T {
    const watch = this.#watch;
    if (watch !== undefined) {
      this.#watch = undefined;
      watch.succeeded(this.policy.clock.now(), this.attempts, this.#totalDelayMs);
    }
    return value;
  }

  /** The last attempt brought a result that `retryOnResult` refused: a failure, but with something to return. */
  refuse(result: T): RefusedResultError {
    this.#refused = { result };
    return new RefusedResultError();
  }

  /** The last attempt failed: decides what follows, and tells whoever watches. */
  failed(error: unknown, errorClass: ErrorClass): 'retry' | StopReason {
    const { policy, attempts } = this;
    const now = this.#startedAt === undefined ? 0 : policy.clock.now();
    const decision = decide(policy, {
      attempt: attempts,
      maxAttempts: this.maxAttempts,
      error,
      errorClass,
      interruption: this.interruption,
      elapsedMs: now - (this.#startedAt ?? 0),
      retryAfterMs: this.#hint(error),
      previousDelayMs: this.#delayMs,
      random: policy.clock.random(),
    });
    this.#remember(error);
    if (decision.next === 'stop') {
      this.#watch?.attemptFailed(now, { error, errorClass, next: decision.reason, nextDelayMs: 0 });
      return decision.reason;
    }
    const delayMs = runtime.testing?.delays === 'none' ? 0 : decision.delayMs;
    this.#delayMs = delayMs;
    this.#delaySource = decision.delaySource;
    this.#totalDelayMs += delayMs;
    if (this.#watch !== undefined || policy.onRetry !== undefined) this.#announceRetry(now, error, errorClass);
    return 'retry';
  }

  /** The call ends without success: throws what the caller gets, or returns the last result that was refused. */
  giveUp(reason: StopReason): T {
    const error = reason === 'aborted' && this.signal !== undefined ? this.signal.reason : this.lastError;
    const summary = this.#summarise(reason);
    rememberSummary(error, summary);
    const watch = this.#watch;
    if (watch !== undefined) {
      this.#watch = undefined;
      watch.gaveUp(summary, error);
    }
    const { onStop } = this.policy;
    if (onStop !== undefined) callHook(onStop, { ...summary, operation: this.operation, error });
    if (reason !== 'aborted' && this.#refused !== undefined) return this.#refused.result;
    throw error;
  }

  #begin(): Attempt {
    const number = ++this.attempts;
    this.#refused = undefined;
    this.#watch?.attemptStarted(number, this.#delayMs, this.#delaySource, this.policy.clock);
    return new Attempt(number, this.maxAttempts, this.lastError, this.#delayMs);
  }

  #invoke(attempt: Attempt): T | PromiseLike<T> {
    return this.#watch === undefined ? this.#fn(attempt) : this.#watch.run(() => this.#fn(attempt));
  }

  #announceRetry(now: number, error: unknown, errorClass: ErrorClass): void {
    const attempt = this.attempts;
    const delayMs = this.#delayMs;
    const delaySource = this.#delaySource;
    const watch = this.#watch;
    if (watch !== undefined) {
      watch.attemptFailed(now, { error, errorClass, next: 'retry', nextDelayMs: delayMs });
      watch.event({ type: 'retry_scheduled', attempt, nextAttempt: attempt + 1, delayMs, delaySource, error });
    }
    const { onRetry } = this.policy;
    if (onRetry !== undefined) {
      const { operation, maxAttempts } = this;
      callHook(onRetry, { operation, attempt, maxAttempts, error, delayMs, delaySource });
    }
  }

  #limitsOf(attempt: Attempt | undefined): Limits {
    const { policy, signal } = this;
    const remaining = this.#remainingMs();
    const attemptTimeout = attempt === undefined ? Infinity : policy.attemptTimeout;
    return {
      signal,
      clock: policy.clock,
      hold: policy.hold,
      timeoutMs: Math.min(attemptTimeout, remaining),
      onCut: by => {
        if (by === 'abort') {
          this.interruption = 'aborted';
          return signal?.reason;
        }
        if (attemptTimeout <= remaining) return new AttemptTimeoutError(this.attempts, attemptTimeout);
        this.interruption = 'deadline_exceeded';
        const cause = this.attempts > 1 ? { cause: this.lastError } : undefined;
        return new DeadlineExceededError(this.attempts, policy.maxElapsed, cause);
      },
      afterCut: reason => attempt?.cancel(reason),
    };
  }

  #remainingMs(): number {
    const { clock, maxElapsed } = this.policy;
    return maxElapsed === Infinity ? Infinity : maxElapsed - (clock.now() - (this.#startedAt as number));
  }

  #hint(error: unknown): number | undefined {
    return readHint(this.policy, this.#refused === undefined ? error : this.#refused.result);
  }

  #remember(error: unknown): void {
    if (this.attempts > 1) {
      // A list that is born with its element is a third of the size of one that grows.
      if (this.#earlierErrors === undefined) this.#earlierErrors = [this.lastError];
      else this.#earlierErrors.push(this.lastError);
      if (this.#earlierErrors.length >= MAX_REMEMBERED_ERRORS) this.#earlierErrors.shift();
    }
    this.lastError = error;
  }

  #summarise(reason: StopReason): RetrySummary {
    const errors = this.#earlierErrors ?? [];
    if (this.attempts > 0) errors.push(this.lastError);
    const hint = this.attempts > 0 ? this.#hint(this.lastError) : undefined;
    const summary = {
      attempts: this.attempts,
      reason,
      totalDelayMs: this.#totalDelayMs,
      elapsedMs: this.#startedAt === undefined ? undefined : this.policy.clock.now() - this.#startedAt,
      errors: Object.freeze(errors),
    };
    return Object.freeze(isRefused(this.policy, hint) ? { ...summary, retryAfterMs: hint } : summary);
  }
}
