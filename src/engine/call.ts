import { announceRetry } from './announce-retry.ts';
import { Attempt, type AttemptFunction } from './attempt.ts';
import { type CallLimits, startLimits } from './call-limits.ts';
import { decide, type Interruption, isRefused, type Retry, reusedFacts } from './decide.ts';
import { AttemptTimeoutError, DeadlineExceededError, HedgeLostError, RefusedResultError } from './errors.ts';
import { fallBack } from './fall-back.ts';
import { hedged } from './hedged.ts';
import { callHook } from './hook.ts';
import { keepShape } from './keep-shape.ts';
import { countLateResult } from './late-results.ts';
import { type Limits, withLimits } from './limit.ts';
import { nestingFrame, rememberGivenUp, runFramed, takeFrame, wasGivenUp } from './nesting.ts';
import type { CallScope } from './observer.ts';
import type { Fallback } from './options.ts';
import type { DelaySource, ErrorClass, StopReason } from './outcome.ts';
import { type BegunCall, type CallTime, type PerCall, timeOf } from './per-call.ts';
import { createPolicy, operationOf, type Policy } from './policy.ts';
import { readHint } from './retry-after.ts';
import { MAX_REMEMBERED_ERRORS, type RetrySummary } from './retry-summary.ts';
import { runtime } from './runtime.ts';
import { saysAlreadyRetried } from './server-hints.ts';
import { rememberSummary } from './summary.ts';
import { Watch } from './watch.ts';

/** Stands for no error: anything else may have been thrown, `undefined` too. Comes first for the call made below. */
const NONE: unique symbol = Symbol('none');

/** What follows a failed attempt: a retry, or the reason to stop. */
export type Verdict = 'retry' | StopReason;

/**
 * One call on its way: what it has done so far, and the steps that each form puts in its own order. Every ending goes
 * through `succeed`, `failed` and `giveUp`.
 *
 * Thousands of calls may wait at the same time, so a call holds little; what only watched calls need is in `Watch`.
 */
export class Call<T> {
  readonly policy: Policy;
  readonly signal: AbortSignal | undefined;
  attempts: number;
  /** Why the call cannot go on, once that is so. */
  interruption: Interruption | undefined = undefined;
  readonly #fn: AttemptFunction<T>;
  /** Undefined when nobody watches, and once the call has ended: nothing is told after its end. */
  watch: Watch | undefined;
  readonly #time: CallTime | undefined;
  /** When the call and its latest attempt started, by `Runtime.sequence`. */
  readonly startedAs: number;
  attemptStartedAs: number;
  limits: CallLimits | undefined;
  /** The wait before the next attempt. */
  delayMs = 0;
  delaySource: DelaySource = 'none';
  #totalDelayMs = 0;
  /** The result that `retryOnResult` refused last, if the last failure was that. */
  #refused: { readonly result: T } | undefined = undefined;
  #earlierErrors: unknown[] | undefined = undefined;
  #lastError: unknown = NONE;

  /** `begun` is given for a call whose first attempt has been made already. */
  constructor(
    policy: Policy,
    fn: AttemptFunction<T>,
    perCall: PerCall,
    scope: CallScope | undefined,
    begun?: BegunCall,
  ) {
    this.policy = policy;
    this.signal = perCall.signal;
    this.#fn = fn;
    this.startedAs = begun === undefined ? ++runtime.sequence : begun.startedAs;
    this.attemptStartedAs = this.startedAs;
    this.attempts = begun === undefined ? 0 : 1;
    this.#time = timeOf(policy, perCall, scope);
    this.limits = begun === undefined ? startLimits(policy.limits) : begun.limits;
    this.watch = scope === undefined ? undefined : new Watch(scope, (this.#time as CallTime).startedAt);
  }

  get maxAttempts(): number {
    const { maxAttempts } = this.policy;
    if (runtime.nesting === undefined && runtime.testing === undefined) return maxAttempts;
    return this.#isLeftToOuter ? 1 : Math.min(maxAttempts, runtime.testing?.attempts ?? Infinity);
  }

  /** What the last failed attempt threw; undefined before the first failure. */
  get lastError(): unknown {
    return this.#lastError === NONE ? undefined : this.#lastError;
  }

  get operation(): string {
    return operationOf(this.policy, this.#fn);
  }

  /** Runs the first or next attempt, within its limits. */
  attempt(): T | PromiseLike<T> {
    const { policy } = this;
    // Most calls have nothing around the function; they need not look for it piece by piece.
    if (policy.plain && this.watch === undefined && !this.#canBeCut) return this.#place(this.begin());
    const { hedge } = policy;
    return hedge === undefined ? this.#attemptAlone() : hedged(this, hedge);
  }

  #attemptAlone(): T | PromiseLike<T> {
    const attempt = this.begin();
    return this.#canBeCut ? withLimits(this.limitsOf(attempt), () => this.invoke(attempt)) : this.invoke(attempt);
  }

  /** Runs an attempt that nothing can interrupt. */
  attemptSync(): T | PromiseLike<T> {
    return this.invoke(this.begin());
  }

  /** Waits for something that is no attempt, as long as the call may. */
  wait<R>(work: () => PromiseLike<R>): PromiseLike<R> {
    return this.#canBeCut ? withLimits(this.limitsOf(undefined), work) : work();
  }

  /** True when something has to be asked before an attempt: limits, the time that is left, or why to stop. */
  get mustAsk(): boolean {
    if (this.signal?.aborted === true || this.limits?.mustAsk === true) return true;
    return this.attempts === 0 && this.#isTimed;
  }

  /**
   * Asks the limits for the next attempt: undefined for a yes, a stop reason for a no, and milliseconds where the call
   * has to wait and ask again.
   */
  enter(): StopReason | number | undefined {
    const admission = this.limits?.enter(this.attempts + 1);
    if (admission === undefined || admission.next === 'go') return undefined;
    if (admission.next === 'wait') {
      if (admission.waitMs >= this.#remainingMs()) return this.#outOfTime();
      this.#totalDelayMs += admission.waitMs;
      return admission.waitMs;
    }
    // Where an attempt has been made, its error says more.
    if (this.attempts === 0) this.#lastError = admission.error;
    return admission.reason;
  }

  /** Waits for the limits, not for the backoff; rejects when the signal aborts. */
  linger(ms: number): Promise<void> {
    return this.policy.clock.sleep(ms, this.signal, this.policy.hold);
  }

  /** The wait before the next attempt; rejects when the signal aborts. Undefined when a test wants no waits. */
  pause(): Promise<void> | undefined {
    const { clock, hold } = this.policy;
    return runtime.testing?.delays === 'none' ? undefined : clock.sleep(this.delayMs, this.signal, hold);
  }

  /** The same wait for the synchronous loop: blocks the thread. */
  block(): void {
    if (runtime.testing?.delays !== 'none') this.policy.clock.block(this.delayMs);
  }

  /** Why the next attempt may not start, if so: the signal has aborted, or the time has run out meanwhile. */
  obstacle(): StopReason | undefined {
    if (this.signal?.aborted === true) return 'aborted';
    return this.#remainingMs() > 0 ? undefined : this.#outOfTime();
  }

  /** True when the last attempt brought a result that was refused. */
  get isRefused(): boolean {
    return this.#refused !== undefined;
  }

  /** The call ends with `value`. */
  succeed(value: T): T {
    this.limits?.succeeded();
    const watch = this.watch;
    if (watch !== undefined) {
      this.watch = undefined;
      watch.succeeded(this.policy.clock.now(), this.attempts, this.#totalDelayMs, this.limits?.budgetTokens);
    }
    return value;
  }

  /** The last attempt brought a result that `retryOnResult` refused: a failure, but with something to return. */
  refuse(result: T): RefusedResultError {
    this.#refused = { result };
    return new RefusedResultError();
  }

  /** The last attempt failed: decides what follows, and tells whoever watches. Only a budget may take its time. */
  failed(error: unknown, errorClass: ErrorClass): Verdict | Promise<Verdict> {
    const { policy, attempts } = this;
    const limits = this.limits;
    limits?.failed(error, errorClass);
    const now = this.#time === undefined ? 0 : policy.clock.now();
    const retryAfterMs = readHint(this.policy, this.#failure(error));
    const random = policy.clock.random();
    const openCircuit = limits?.openCircuit();
    const alreadyRetried = this.#isRetriedElsewhere(error, retryAfterMs);
    // Nothing of the user's own runs between here and where `decide` has read the facts.
    const facts = reusedFacts;
    facts.attempt = attempts;
    facts.maxAttempts = this.maxAttempts;
    facts.error = error;
    facts.errorClass = errorClass;
    facts.interruption = this.interruption;
    facts.remainingMs = this.#time === undefined ? Infinity : this.#time.limitMs - (now - this.#time.startedAt);
    facts.retryAfterMs = retryAfterMs;
    facts.previousDelayMs = this.delayMs;
    facts.random = random;
    facts.alreadyRetried = alreadyRetried;
    facts.openCircuit = openCircuit;
    const decision = decide(policy, facts);
    facts.error = undefined;
    this.remember(error);
    if (decision.next === 'stop') return this.#stopped(now, error, errorClass, decision.reason);
    if (limits === undefined) return this.#scheduled(now, error, errorClass, decision);
    const granted = limits.withdraw(error, errorClass);
    if (typeof granted === 'object') return this.#whenGranted(granted, now, error, errorClass, decision);
    return granted
      ? this.#scheduled(now, error, errorClass, decision)
      : this.#stopped(now, error, errorClass, 'budget_exhausted');
  }

  async #whenGranted(
    granted: Promise<boolean>,
    now: number,
    error: unknown,
    errorClass: ErrorClass,
    retry: Retry,
  ): Promise<Verdict> {
    try {
      return (await this.wait(() => granted))
        ? this.#scheduled(now, error, errorClass, retry)
        : this.#stopped(now, error, errorClass, 'budget_exhausted');
    } catch {
      return this.#stopped(now, error, errorClass, this.interruption ?? 'aborted');
    }
  }

  #stopped(now: number, error: unknown, errorClass: ErrorClass, reason: StopReason): StopReason {
    this.watch?.attemptFailed(now, { error, errorClass, next: reason, nextDelayMs: 0 });
    return reason;
  }

  #scheduled(now: number, error: unknown, errorClass: ErrorClass, decision: Retry): 'retry' {
    const delayMs = runtime.testing?.delays === 'none' ? 0 : decision.delayMs;
    this.delayMs = delayMs;
    this.delaySource = decision.delaySource;
    this.#totalDelayMs += delayMs;
    if (this.watch !== undefined || this.policy.onRetry !== undefined) {
      announceRetry(this, now, error, errorClass, delayMs, decision.delaySource);
    }
    return 'retry';
  }

  /** The call ends without success: throws what the caller gets, or returns the last result that was refused. */
  giveUp(reason: StopReason): T | PromiseLike<T> {
    // Without an abort it is the clock that has failed in a wait.
    const error = reason === 'aborted' && this.signal?.aborted === true ? this.signal.reason : this.lastError;
    const summary = this.#summarise(reason);
    rememberSummary(error, summary);
    // A single attempt is no layer of retries, and an error that is not worth one may be for somebody else.
    if (reason !== 'aborted' && reason !== 'not_retryable' && this.policy.maxAttempts > 1) {
      rememberGivenUp(this, error, summary.errors.at(-2));
    }
    this.limits?.leave('ignored', undefined);
    const watch = this.watch;
    if (watch !== undefined) {
      this.watch = undefined;
      watch.gaveUp(summary, error, this.limits?.budgetTokens);
    }
    const { onStop } = this.policy;
    if (onStop !== undefined) callHook(onStop, { ...summary, operation: this.operation, error });
    const { fallback } = this.policy;
    if (fallback !== undefined && reason !== 'aborted') return fallBack(fallback as Fallback<T>, error, summary);
    if (reason !== 'aborted' && this.#refused !== undefined) return this.#refused.result;
    throw error;
  }

  begin(delayMs: number = this.delayMs, delaySource: DelaySource = this.delaySource): Attempt {
    const number = ++this.attempts;
    this.attemptStartedAs = ++runtime.sequence;
    this.#refused = undefined;
    this.watch?.attemptStarted(number, delayMs, delaySource, this.policy.clock);
    return new Attempt(number, this.maxAttempts, this.lastError, delayMs);
  }

  invoke(attempt: Attempt): T | PromiseLike<T> {
    return this.watch === undefined ? this.#work(attempt) : this.watch.run(() => this.#work(attempt));
  }

  #work(attempt: Attempt): T | PromiseLike<T> {
    const { bulkhead } = this.policy;
    return bulkhead === undefined ? this.#place(attempt) : bulkhead.run(() => this.#place(attempt), attempt.signal);
  }

  /** Calls the function, where calls inside it can see what is around them if anybody has to know. */
  #place(attempt: Attempt): T | PromiseLike<T> {
    // An observer may have aborted it, or a bulkhead may have taken its time.
    if (this.signal?.aborted === true) throw this.signal.reason;
    const { nested } = this.policy;
    if (runtime.nesting === undefined || nested === 'both') return this.#fn(attempt);
    return runFramed(this, nested, () => this.#fn(attempt));
  }

  #outOfTime(): 'deadline_exceeded' {
    if (this.attempts === 0) this.#lastError = new DeadlineExceededError(0);
    return 'deadline_exceeded';
  }

  get #canBeCut(): boolean {
    return this.signal !== undefined || this.policy.limited || this.#isTimed;
  }

  /** True when the error is for another layer to retry, or was: see {@link Nested}. */
  #isRetriedElsewhere(error: unknown, retryAfterMs: number | undefined): boolean {
    // A service that says so asks for no retry either; a policy that does not hear hints has to look for itself.
    const mayBeSaid = retryAfterMs === Infinity || this.policy.retryAfter !== true;
    if (mayBeSaid && this.policy.nested === 'inner' && saysAlreadyRetried(this.#failure(error))) return true;
    if (runtime.nesting === undefined && runtime.latestGivenUp <= this.attemptStartedAs) return false;
    const { nested } = this.policy;
    if (nested === 'both') return false;
    const frame = runtime.nesting === undefined ? undefined : takeFrame(this);
    return this.#isLeftToOuter || (nested === 'inner' && wasGivenUp(this, error, frame));
  }

  get #isLeftToOuter(): boolean {
    return runtime.nesting !== undefined && this.policy.nested !== 'both' && nestingFrame()?.retriesOutside === true;
  }

  limitsOf(attempt: Attempt | undefined, remaining: number = this.#remainingMs()): Limits {
    const { policy, signal } = this;
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
        if (by === 'lost') return new HedgeLostError();
        if (attemptTimeout <= remaining) return new AttemptTimeoutError(this.attempts, attemptTimeout);
        this.interruption = 'deadline_exceeded';
        const cause = this.attempts > 1 ? { cause: this.lastError } : undefined;
        return new DeadlineExceededError(this.attempts, cause);
      },
      onLate: result => attempt && countLateResult(this.operation, result),
      afterCut: reason => attempt?.cancel(reason),
    };
  }

  #remainingMs(): number {
    if (this.#time === undefined || !this.#isTimed) return Infinity;
    return this.#time.limitMs - (this.policy.clock.now() - this.#time.startedAt);
  }

  get #isTimed(): boolean {
    return this.#time !== undefined && this.#time.limitMs !== Infinity;
  }

  /** What the last attempt brought: an error, or a result that was refused. */
  #failure(error: unknown): unknown {
    return this.#refused === undefined ? error : this.#refused.result;
  }

  remember(error: unknown): void {
    if (this.#lastError !== NONE) {
      // A list that is born with its element is a third of the size of one that grows.
      if (this.#earlierErrors === undefined) this.#earlierErrors = [this.#lastError];
      else this.#earlierErrors.push(this.#lastError);
      if (this.#earlierErrors.length >= MAX_REMEMBERED_ERRORS) this.#earlierErrors.shift();
    }
    this.#lastError = error;
  }

  #summarise(reason: StopReason): RetrySummary {
    const errors = this.#earlierErrors ?? [];
    if (this.attempts > 0 && this.#lastError !== NONE) errors.push(this.#lastError);
    const elapsedMs = this.#time === undefined ? undefined : this.policy.clock.now() - this.#time.startedAt;
    const hint = this.attempts > 0 ? readHint(this.policy, this.#failure(this.lastError)) : undefined;
    const summary = {
      attempts: this.attempts,
      reason,
      totalDelayMs: this.#totalDelayMs,
      elapsedMs,
      errors: Object.freeze(errors),
    };
    return Object.freeze(isRefused(this.policy, hint) ? { ...summary, retryAfterMs: hint } : summary);
  }

  static {
    const idle = new Call(createPolicy({}), () => undefined, {}, undefined, { startedAs: 0, limits: undefined });
    // To V8, calls with a fraction of a millisecond would be of another shape than those without, and every delay would
    // lie in a box of its own. A field that has held something else than a number keeps one shape for both.
    idle.delayMs = undefined as never;
    idle.#totalDelayMs = undefined as never;
    keepShape(idle);
  }
}
