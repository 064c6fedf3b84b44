import { errorType } from '../../src/engine/describe-error.ts';
import type { AttemptEnd, AttemptInfo, CallEnd, RetryEvent } from '../../src/engine/observer.ts';
import type { CallOutcome } from '../../src/engine/outcome.ts';
import { systemClock } from '../../src/engine/system-clock.ts';
import type { Exemplar, HistogramCell } from './histogram-cell.ts';
import type { OperationCells } from './operation-cells.ts';
import { type HistogramName, store } from './store.ts';

/** Where a record belongs: the span to show as exemplar, and the context for an OpenTelemetry instrument. */
export interface RecordContext {
  readonly span: {
    spanContext(): { readonly traceId: string; readonly spanId: string; readonly traceFlags: number };
  };
  readonly context: unknown;
}

/** A call has started. */
export function recordCallStart(cells: OperationCells): void {
  cells.inAttempt++;
}

/** An attempt starts; the first one goes with the start of its call. */
export function recordAttemptStart(cells: OperationCells, info: AttemptInfo): void {
  // A hedge starts in a call that is in an attempt already.
  if (info.number === 1 || info.delaySource === 'hedge') return;
  cells.waiting--;
  cells.inAttempt++;
}

/** An attempt has ended. */
export function recordAttemptEnd(cells: OperationCells, end: AttemptEnd, at: RecordContext | undefined): void {
  if (end.outcome === 'success') {
    cells.attemptsSucceeded++;
  } else {
    const type = errorType(end.error);
    const counted = cells.attemptFailed(type);
    if (counted !== type) store.overflow.error_type++;
    const exemplar = exemplarOf(1, at);
    if (exemplar !== undefined) cells.attemptExemplars.set(counted, exemplar);
    if (end.next === 'retry') {
      cells.inAttempt--;
      cells.waiting++;
    }
  }
  recordValue('attemptDuration', cells.attemptDuration[end.outcome], end.durationMs / 1000, at);
}

/** A retry has been scheduled, or a hedge started. */
export function recordRetry(cells: OperationCells, event: RetryEvent, at: RecordContext | undefined): void {
  if (event.type === 'hedge_started') {
    cells.retries.hedge++;
    return;
  }
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
  const outcome = outcomeOf(end);
  const seconds = end.durationMs / 1000;
  cells.calls[outcome]++;
  const exemplar = exemplarOf(seconds, at);
  if (exemplar !== undefined) cells.callExemplars[outcome] = { ...exemplar, value: 1 };
  recordValue('callDuration', cells.callDuration[end.outcome], seconds, at);
  recordValue('callAttempts', cells.callAttempts[end.outcome], end.attempts, at);
}

/** The value of the outcome label. */
export function outcomeOf(end: CallEnd): CallOutcome {
  if (end.outcome === 'failure') return end.reason;
  return end.attempts > 1 ? 'success_after_retry' : 'success';
}

function recordValue(name: HistogramName, cell: HistogramCell, value: number, at: RecordContext | undefined): void {
  const bucket = cell.record(value);
  if (bucket < 0) return;
  const exemplar = exemplarOf(value, at);
  if (exemplar !== undefined) cell.exemplars[bucket] = exemplar;
  if (store.sinks !== undefined) store.sinks[name](value, cell.attributes, at?.context);
}

/** Only where somebody shows it, and only of a trace that was sampled: a link to another one leads nowhere. */
function exemplarOf(value: number, at: RecordContext | undefined): Exemplar | undefined {
  if (at === undefined || !store.keepsExemplars) return undefined;
  const { traceId, spanId, traceFlags } = at.span.spanContext();
  return (traceFlags & SAMPLED) === 0 ? undefined : { traceId, spanId, value, time: systemClock.wallNow() };
}

const SAMPLED = 1;
