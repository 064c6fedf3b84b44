import type { Clock } from './clock.ts';
import { openAttempt, runInside, tellEnd, tellEvent } from './guard.ts';
import type { AttemptEnd, CallScope, RetryEvent, Scope } from './observer.ts';
import type { DelaySource } from './outcome.ts';
import type { RetrySummary } from './retry-summary.ts';

/** What a watched call holds for its observer. */
export class Watch {
  readonly #call: CallScope;
  readonly #startedAt: number;
  #attempt: Scope<AttemptEnd> | undefined = undefined;
  #attemptStartedAt = 0;

  constructor(call: CallScope, startedAt: number) {
    this.#call = call;
    this.#startedAt = startedAt;
  }

  attemptStarted(number: number, delayMs: number, delaySource: DelaySource, clock: Clock): void {
    this.#attemptStartedAt = number === 1 ? this.#startedAt : clock.now();
    this.#attempt = openAttempt(this.#call, { number, delayMs, delaySource });
  }

  /** The same call, for an attempt beside the present one. */
  beside(): Watch {
    return new Watch(this.#call, this.#startedAt);
  }

  run<R>(fn: () => R): R {
    return this.#attempt === undefined ? fn() : runInside(this.#attempt, fn);
  }

  attemptFailed(now: number, how: Pick<FailedAttempt, 'error' | 'errorClass' | 'next' | 'nextDelayMs'>): void {
    const scope = this.#attempt;
    if (scope === undefined) return;
    this.#attempt = undefined;
    tellEnd(scope, { outcome: 'failure', durationMs: now - this.#attemptStartedAt, ...how });
  }

  event(event: RetryEvent): void {
    tellEvent(this.#call, event);
  }

  succeeded(now: number, attempts: number, totalDelayMs: number, budgetTokens: number | undefined): void {
    tellEnd(this.#attempt, { outcome: 'success', durationMs: now - this.#attemptStartedAt });
    const durationMs = now - this.#startedAt;
    tellEnd(this.#call, { outcome: 'success', attempts, durationMs, totalDelayMs, budgetTokens });
  }

  gaveUp(summary: RetrySummary, error: unknown, budgetTokens: number | undefined): void {
    const { attempts, reason, totalDelayMs } = summary;
    const durationMs = summary.elapsedMs as number;
    // An attempt is still open only when the caller left the iterator in the middle of it.
    this.attemptFailed(this.#startedAt + durationMs, { error, errorClass: 'cancelled', next: reason, nextDelayMs: 0 });
    tellEnd(this.#call, { outcome: 'failure', attempts, durationMs, totalDelayMs, budgetTokens, reason, error });
  }
}

type FailedAttempt = AttemptEnd & { readonly outcome: 'failure' };
