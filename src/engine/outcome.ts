/**
 * What an error means for the next attempt.
 *
 * - `transient`: another attempt may succeed.
 * - `throttled`: the other side asked for less load (HTTP 429 and its kin); another attempt may succeed, later.
 * - `permanent`: the same attempt will fail again.
 * - `cancelled`: somebody no longer wants the answer.
 */
export type ErrorClass = 'transient' | 'throttled' | 'permanent' | 'cancelled';

/**
 * Why a call stopped without success. The same word stands in {@link RetrySummary}, on the span, in the
 * metric label, in the log field, in the alert and in the runbook.
 */
export type StopReason =
  | 'not_retryable'
  | 'attempts_exhausted'
  | 'deadline_exceeded'
  | 'budget_exhausted'
  | 'circuit_open'
  | 'already_retried'
  | 'aborted';

/** How a call ended: the values of the metric label and span attribute `outcome`. */
export type CallOutcome = 'success' | 'success_after_retry' | StopReason;

/**
 * Where a delay came from: nothing was waited, the policy's backoff, the server's hint, or the attempt before was so
 * slow that this one was started beside it.
 */
export type DelaySource = 'none' | 'backoff' | 'retry_after' | 'hedge';

/** Every stop reason, in the order in which documentation and dashboards list them. */
export const STOP_REASONS: readonly StopReason[] = Object.freeze([
  'not_retryable',
  'attempts_exhausted',
  'deadline_exceeded',
  'budget_exhausted',
  'circuit_open',
  'already_retried',
  'aborted',
]);
