import { classifyError } from '../../src/engine/classify.ts';
import { openAttempt, openCall, runInside, tellEnd, tellEvent } from '../../src/engine/guard.ts';
import type { AttemptEnd, CallEnd, CallInfo, CallScope, Scope } from '../../src/engine/observer.ts';
import type { ErrorClass, StopReason } from '../../src/engine/outcome.ts';
import { read } from '../../src/engine/read.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { systemClock } from '../../src/engine/system-clock.ts';
import { type OwnRetries, ownRetries } from './own-retries.ts';
import { watchAttempt } from './settling.ts';

/**
 * A call that another library makes and retries, told to the observers of this process as if it were one of ours. It
 * only watches: whatever it is told, and in whatever order, it never throws, and it ends once.
 *
 * What follows a failed attempt is often known only when the next one starts, or when the call settles. Until then the
 * failure is kept, with the time at which it happened.
 */
export class ForeignCall {
  readonly #info: CallInfo;
  #phase: 'idle' | 'open' | 'ended' = 'idle';
  #scope: CallScope | undefined;
  #attempt: OpenAttempt | undefined;
  #startedAt = 0;
  #attempts = 0;
  #totalDelayMs = 0;
  /** The wait that the next attempt ends; undefined where nobody has told of one. */
  #delayMs: number | undefined;
  /** Whoever wants to know that there is a second attempt. */
  #around: OwnRetries | undefined;

  constructor(info: CallInfo) {
    this.#info = info;
  }

  /** True once there is no more to tell of the call. */
  get isEnded(): boolean {
    return this.#phase === 'ended';
  }

  /** True between an attempt that failed and the next one, where the library has said that there will be one. */
  get isWaiting(): boolean {
    return this.#phase === 'open' && this.#attempt === undefined && this.#attempts > 0;
  }

  /** True from the second attempt on. */
  get hasRetried(): boolean {
    return this.#attempts > 1;
  }

  /** What the last attempt brought, if it failed and nothing has followed yet. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#attempt?.failure;
  }

  /** The call starts, in the context of whoever calls this. The first attempt does so as well. */
  open(): void {
    if (this.#phase !== 'idle') return;
    this.#phase = 'open';
    this.#startedAt = systemClock.now();
    this.#around = ownRetries();
    if (runtime.observer !== undefined) this.#scope = openCall(runtime.observer, this.#info);
  }

  /** The next attempt starts; the one before it has failed. Gives back what stands for it. */
  begin(): object | undefined {
    this.open();
    if (this.#phase !== 'open') return undefined;
    const now = systemClock.now();
    if (this.#attempt !== undefined) {
      // Nobody has told of its end: the library has lost patience with it.
      this.#attempt.failure ??= { error: undefined, endedAt: now };
      this.#settleAsRetry(this.#attempt, this.#attempt.failure, now - this.#attempt.failure.endedAt);
    }
    const delayMs = this.#delayMs ?? 0;
    this.#delayMs = undefined;
    const number = ++this.#attempts;
    if (number > 1 && this.#around !== undefined) this.#around.areMade = true;
    const info = { number, delayMs, delaySource: number === 1 ? 'none' : 'backoff' } as const;
    const scope = this.#scope === undefined ? undefined : openAttempt(this.#scope, info);
    this.#attempt = { scope, startedAt: now, failure: undefined };
    return this.#attempt;
  }

  /** True while nothing is known of the end of an attempt. */
  isUnderWay(attempt: object | undefined): boolean {
    return attempt !== undefined && attempt === this.#attempt && this.#attempt.failure === undefined;
  }

  /** Runs `fn` in the context of the attempt that is under way; gives back what it returned or threw. */
  run<R>(fn: () => R): R {
    return runInside(this.#attempt?.scope, fn);
  }

  /**
   * Starts the next attempt, runs `fn` in it and watches how it ends. Gives back what `fn` returned or threw; something
   * that starts its work only when somebody waits for it (as queries of some libraries do) becomes a promise, so that
   * it starts once.
   */
  attempt<R>(fn: () => R): R {
    if (this.isEnded) return fn();
    const attempt = this.begin();
    try {
      return watchAttempt(
        () => this.run(fn),
        () => this.#succeeded(attempt),
        error => this.failed(error, attempt),
      );
    } catch (error) {
      this.failed(error, attempt);
      throw error;
    }
  }

  /**
   * The attempt that is under way has failed; what follows is not known yet.
   *
   * @param attempt the one that is meant, where it may be over. Default: the present one
   * @param endedAt when that was, by the system's clock. Default: now
   */
  failed(error: unknown, attempt: object | undefined = this.#attempt, endedAt: number = systemClock.now()): void {
    if (this.#attempt === undefined || this.#attempt !== attempt || this.#attempt.failure !== undefined) return;
    this.#attempt.failure = { error, endedAt };
  }

  /**
   * The library has said that it will make another attempt.
   *
   * @param delayMs how long it waits before that, in milliseconds
   */
  retrying(delayMs: number): void {
    const attempt = this.#attempt;
    if (attempt?.failure === undefined || !(delayMs >= 0)) return;
    this.#settleAsRetry(attempt, attempt.failure, delayMs);
  }

  /** The call has brought a value. Where its last attempt had failed all the same, it has given up on a better one. */
  succeed(): void {
    const attempt = this.#attempt;
    if (attempt?.failure !== undefined) {
      this.giveUp(this.reasonFor(attempt.failure.error), attempt.failure.error);
    } else if (this.#phase === 'open') {
      this.#succeeded(attempt);
      this.#end({ outcome: 'success', ...this.#totals(systemClock.now()) });
    }
  }

  /** The call has brought a value, and what looked like a failure of the last attempt was none. */
  accept(): void {
    if (this.#attempt !== undefined) this.#attempt.failure = undefined;
    this.succeed();
  }

  /** The call ends without success. */
  giveUp(reason: StopReason, error: unknown): void {
    if (this.#phase !== 'open') return;
    const now = systemClock.now();
    const attempt = this.#attempt;
    if (attempt !== undefined) {
      const failure = attempt.failure ?? { error, endedAt: now };
      const errorClass = classOf(failure.error, reason);
      this.#endAttempt(attempt, failure, { errorClass, next: reason, nextDelayMs: 0 });
    }
    this.#end({ outcome: 'failure', ...this.#totals(now), reason, error });
  }

  /** Why a library stops that has not said so: it has made all its attempts, or did not like the error. */
  reasonFor(error: unknown, maxAttempts: number = this.#info.maxAttempts): StopReason {
    if (read(error, 'name') === 'AbortError') return 'aborted';
    return this.#attempts >= maxAttempts ? 'attempts_exhausted' : 'not_retryable';
  }

  #succeeded(attempt: object | undefined): void {
    if (this.#attempt === undefined || !this.isUnderWay(attempt)) return;
    const { scope, startedAt } = this.#attempt;
    this.#attempt = undefined;
    tellEnd(scope, { outcome: 'success', durationMs: systemClock.now() - startedAt });
  }

  #settleAsRetry(attempt: OpenAttempt, failure: Failure, delayMs: number): void {
    const { error } = failure;
    const errorClass = classifyError(error);
    this.#endAttempt(attempt, failure, { errorClass, next: 'retry', nextDelayMs: delayMs });
    this.#delayMs = delayMs;
    this.#totalDelayMs += delayMs;
    tellEvent(this.#scope, {
      type: 'retry_scheduled',
      attempt: this.#attempts,
      nextAttempt: this.#attempts + 1,
      delayMs,
      delaySource: 'backoff',
      error,
    });
  }

  #endAttempt(attempt: OpenAttempt, failure: Failure, how: Verdict): void {
    this.#attempt = undefined;
    const { error, endedAt } = failure;
    const durationMs = endedAt - attempt.startedAt;
    const endedAgoMs = systemClock.now() - endedAt;
    tellEnd<AttemptEnd>(attempt.scope, { outcome: 'failure', durationMs, error, ...how, endedAgoMs });
  }

  #totals(now: number): Pick<CallEnd, 'attempts' | 'durationMs' | 'totalDelayMs'> {
    return { attempts: this.#attempts, durationMs: now - this.#startedAt, totalDelayMs: this.#totalDelayMs };
  }

  #end(end: CallEnd): void {
    this.#phase = 'ended';
    this.#attempt = undefined;
    this.#around = undefined;
    const scope = this.#scope;
    this.#scope = undefined;
    tellEnd<CallEnd>(scope, end);
  }
}

/** Libraries have errors named `AbortError` by which a user says "no more retries", where nobody has aborted anything. */
function classOf(error: unknown, reason: StopReason): ErrorClass {
  if (reason === 'aborted') return 'cancelled';
  const errorClass = classifyError(error);
  return errorClass === 'cancelled' ? 'permanent' : errorClass;
}

interface OpenAttempt {
  readonly scope: Scope<AttemptEnd> | undefined;
  readonly startedAt: number;
  failure: Failure | undefined;
}

interface Failure {
  readonly error: unknown;
  readonly endedAt: number;
}

interface Verdict {
  readonly errorClass: ErrorClass;
  readonly next: 'retry' | StopReason;
  readonly nextDelayMs: number;
}
