import { isObject } from './read.ts';
import type { RetrySummary } from './retry-summary.ts';
import { runtime } from './runtime.ts';

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
