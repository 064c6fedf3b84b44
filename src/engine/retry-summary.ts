import type { StopReason } from './outcome.ts';

/** What a call did before it gave up. */
export interface RetrySummary {
  /** Attempts that were started. */
  readonly attempts: number;
  readonly reason: StopReason;
  /** Milliseconds spent waiting between attempts. */
  readonly totalDelayMs: number;
  /**
   * Milliseconds from the start of the call to its end. Undefined for a call that nobody watched and no time limit
   * bounds: such a call does not read the clock until it fails.
   */
  readonly elapsedMs: number | undefined;
  /** What the attempts threw, oldest first; the last {@link MAX_REMEMBERED_ERRORS} of them. */
  readonly errors: readonly unknown[];
  /**
   * How long the server asked to stay away, in milliseconds, where that was longer than the policy's `maxDelay`;
   * `Infinity` when it asked not to be asked again.
   */
  readonly retryAfterMs?: number;
}

/** How many errors a summary keeps. */
export const MAX_REMEMBERED_ERRORS = 16;
