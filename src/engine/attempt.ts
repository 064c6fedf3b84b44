/** What the retried function is told about the attempt that it makes. */
export interface AttemptContext {
  /** 1 for the first attempt. */
  readonly number: number;
  /** Total executions allowed, the first included. */
  readonly maxAttempts: number;
  /**
   * Aborts when this attempt is to end: the caller's `signal` aborted, `attemptTimeout` or `maxElapsed` passed, or
   * the loop over the attempts was left. Each attempt has its own, and it never aborts after the attempt has settled.
   */
  readonly signal: AbortSignal;
  /** What the attempt before this one threw; undefined for the first. */
  readonly previousError: unknown;
  /** Milliseconds waited before this attempt; 0 for the first. */
  readonly delayMs: number;
}

/** The function that is retried. */
export type AttemptFunction<T> = (attempt: AttemptContext) => T | PromiseLike<T>;

/** The attempt itself. Its AbortController is made when somebody asks for the signal: most functions never do. */
export class Attempt implements AttemptContext {
  readonly number: number;
  readonly maxAttempts: number;
  readonly previousError: unknown;
  readonly delayMs: number;
  /** Undefined until somebody asks for the signal or cancels: most attempts hold nothing here. */
  #state: AbortController | Cancelled | undefined = undefined;

  constructor(number: number, maxAttempts: number, previousError: unknown, delayMs: number) {
    this.number = number;
    this.maxAttempts = maxAttempts;
    this.previousError = previousError;
    this.delayMs = delayMs;
  }

  get signal(): AbortSignal {
    const state = this.#state;
    if (state instanceof AbortController) return state.signal;
    const controller = new AbortController();
    if (state !== undefined) controller.abort(state.reason);
    this.#state = controller;
    return controller.signal;
  }

  /** Aborts the signal, now or when it is first asked for. */
  cancel(reason: unknown): void {
    const state = this.#state;
    if (state instanceof AbortController) state.abort(reason);
    else this.#state ??= { reason };
  }
}

/** An attempt that was cancelled before anybody asked for its signal. */
interface Cancelled {
  readonly reason: unknown;
}
