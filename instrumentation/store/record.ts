import { errorType } from '../../src/engine/describe-error.ts';
import type { AttemptEnd, AttemptInfo, CallEnd, RetryEvent } from '../../src/engine/observer.ts';
import type { CallOutcome } from '../../src/engine/outcome.ts';
import { systemClock } from '../../src/engine/system-clock.ts';
import type { HistogramCell } from './histogram-cell.ts';
import type { OperationCells } from './operation-cells.ts';
import { type HistogramName, store } from './store.ts';

/** Where a record belongs: the span to show as exemplar, and the context for an OpenTelemetry instrument. */
export interface RecordContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly context: unknown;
}

/** A call has started. */
export function recordCallStart(cells: OperationCells): void {
  cells.inAttempt++;
}

/** An attempt starts; the first one goes with the start of its call. */
export function recordAttemptStart(cells: OperationCells, info: AttemptInfo): void {
  if (info.number === 1) return;
  cells.waiting--;
  cells.inAttempt++;
}

/** An attempt has ended. */
export function recordAttemptEnd(cells: OperationCells, end: AttemptEnd, at: RecordContext | undefined): void {
  if (end.outcome === 'success') {
    cells.attemptsSucceeded++;
  } else {
    if (cells.attemptFailed(errorType(end.error))) store.overflow.error_type++;
    if (end.next === 'retry') {
      cells.inAttempt--;
      cells.waiting++;
    }
  }
  recordValue('attemptDuration', cells.attemptDuration[end.outcome], end.durationMs / 1000, at);
}

/** A retry has been scheduled. */
export function recordRetry(cells: OperationCells, event: RetryEvent, at: RecordContext | undefined): void {
  if (event.delaySource !== 'none') cells.retries[event.delaySource]++;
  recordValue('delay', cells.delay, event.delayMs / 1000, at);
}

/** A call has ended, in an attempt or while it was waiting. */
export function recordCallEnd(
  cells: OperationCells,
  end: CallEnd,
  phase: 'attempt' | 'waiting',
  at: RecordContext | undefined,
): void {
  if (phase === 'attempt') cells.inAttempt--;
  else cells.waiting--;
  cells.calls[outcomeOf(end)]++;
  recordValue('callDuration', cells.callDuration[end.outcome], end.durationMs / 1000, at);
  recordValue('callAttempts', cells.callAttempts[end.outcome], end.attempts, at);
}

/** The value of the outcome label. */
export function outcomeOf(end: CallEnd): CallOutcome {
  if (end.outcome === 'failure') return end.reason;
  return end.attempts > 1 ? 'success_after_retry' : 'success';
}

function recordValue(name: HistogramName, cell: HistogramCell, value: number, at: RecordContext | undefined): void {
  const bucket = cell.record(value);
  if (at !== undefined && store.keepsExemplars && bucket >= 0) {
    cell.exemplars[bucket] = { traceId: at.traceId, spanId: at.spanId, value, time: systemClock.wallNow() };
  }
  if (store.sinks !== undefined && bucket >= 0) store.sinks[name](value, cell.attributes, at?.context);
}
