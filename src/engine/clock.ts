/**
 * The only source of time, randomness and waiting. The engine asks nothing else for them, so a fake clock makes
 * every run repeatable.
 */
export interface Clock {
  /** Milliseconds on a clock that never jumps. Only differences mean anything. */
  now(): number;
  /** Milliseconds since 1970. Used for dates that came from outside, never for durations. */
  wallNow(): number;
  /** A number in [0, 1). */
  random(): number;
  /**
   * Resolves after at least `ms`. Rejects with `signal.reason` as soon as `signal` aborts.
   * `hold: 'unref'` lets the process exit while it waits.
   */
  sleep(ms: number, signal: AbortSignal | undefined, hold: Hold): Promise<void>;
  /** Calls `callback` once after at least `ms`, unless the returned function is called before. */
  timer(ms: number, callback: () => void, hold: Hold): () => void;
  /** Blocks the thread for `ms`. Only the synchronous form needs it. */
  block(ms: number): void;
}

/** Whether a waiting timer keeps the process alive. */
export type Hold = 'ref' | 'unref';

/** The longest wait that a Node timer can keep; a longer one would fire at once. */
export const LONGEST_TIMER_MS = 2_147_483_647;
