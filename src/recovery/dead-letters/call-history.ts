import type { AttemptContext } from '../../engine/attempt.ts';
import type { Clock } from '../../engine/clock.ts';
import { errorType } from '../../engine/error-type.ts';
import type { CallRecord } from './call-record.ts';
import type { LetterAttempt, LetterTrace } from './letter.ts';
import { longerHistory, MAX_HISTORY } from './letter.ts';
import { currentTrace } from './letter-tracing.ts';
import type { StoredCall } from './stored-call.ts';

/** Writes down the attempts of one call, for the letter that may follow. */
export class CallHistory {
  readonly #clock: Clock;
  readonly #redrive: number;
  readonly #earlier: readonly LetterAttempt[];
  readonly #entries: Entry[] = [];
  #firstFailedAt: number | undefined = undefined;
  #trace: LetterTrace | undefined = undefined;

  /** `before` is what happened to the call in other processes. */
  constructor(clock: Clock, redrive: number, before?: StoredCall) {
    this.#clock = clock;
    this.#redrive = redrive;
    this.#earlier = before?.history ?? [];
    this.#firstFailedAt = before?.firstFailedAt;
    this.#trace = before?.trace;
  }

  /** The span of the latest attempt. */
  get trace(): LetterTrace | undefined {
    return this.#trace;
  }

  /** An attempt begins; the function that comes back is told what it threw. */
  begin({ delayMs, previousError }: AttemptContext): (error: unknown) => void {
    const previous = this.#entries.at(-1);
    if (previous !== undefined && previousError !== undefined) this.#fail(previous, previousError);
    this.#trace = currentTrace();
    const entry: Entry = { startedAt: this.#wallNow(), startedOn: this.#clock.now(), delayMs };
    this.#entries.push(entry);
    if (this.#entries.length > MAX_HISTORY) this.#entries.splice(1, 1);
    return error => {
      entry.durationMs ??= Math.max(0, Math.round(this.#clock.now() - entry.startedOn));
      this.#fail(entry, error);
    };
  }

  /** The call gave up on `error`: what happened until then. */
  end(error: unknown): CallRecord {
    const last = this.#entries.at(-1);
    if (last !== undefined) this.#fail(last, error);
    const now = this.#wallNow();
    const redrive = this.#redrive;
    const history = this.#entries.map(({ startedAt, durationMs, delayMs, errorType: type = 'unknown' }) => ({
      startedAt,
      ...(durationMs === undefined ? undefined : { durationMs }),
      delayMs: Math.round(delayMs),
      errorType: type,
      redrive,
    }));
    return {
      history: longerHistory(this.#earlier, history),
      firstFailedAt: this.#firstFailedAt ?? now,
      failedAt: now,
      trace: this.#trace,
    };
  }

  #fail(entry: Entry, error: unknown): void {
    entry.errorType ??= errorType(error);
    this.#firstFailedAt ??= this.#wallNow();
  }

  #wallNow(): number {
    return Math.floor(this.#clock.wallNow());
  }
}

interface Entry {
  readonly startedAt: number;
  readonly startedOn: number;
  readonly delayMs: number;
  durationMs?: number;
  errorType?: string;
}
