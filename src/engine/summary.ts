import type { StopReason } from './outcome.ts';
import { runtime } from './runtime.ts';

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
  /** How long the server asked to stay away, in milliseconds, where that was longer than the policy's `maxDelay`. */
  readonly retryAfterMs?: number;
}

/** How many errors a summary keeps. */
export const MAX_REMEMBERED_ERRORS = 16;

/**
 * Tells what happened before `error` was thrown by a call of this library; undefined for anything else, and for
 * primitives. The error itself is never touched: it may be frozen.
 *
 * @example
 * ```ts
 * try {
 *   await retry(fetchRates, { maxAttempts: 4 });
 * } catch (error) {
 *   console.error(retrySummary(error)?.reason);
 *   throw error;
 * }
 * ```
 */
export function retrySummary(error: unknown): RetrySummary | undefined {
  return isObject(error) ? runtime.summaries.get(error) : undefined;
}

/** Keeps the summary for {@link retrySummary}, as long as the error lives. */
export function rememberSummary(error: unknown, summary: RetrySummary): void {
  if (isObject(error)) runtime.summaries.set(error, summary);
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
