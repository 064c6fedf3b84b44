import type { CallOutcome, DelaySource } from '../../src/engine/outcome.ts';
import { LABEL_VALUES, LABELS, METRICS, OTHER } from '../names.ts';
import { type Exemplar, HistogramCell } from './histogram-cell.ts';

/** How many kinds of error one operation tells apart; further ones count as `other`. */
export const MAX_ERROR_TYPES = 32;

/** Everything that is counted for one operation. Each series exists from the start, at 0. */
export class OperationCells {
  readonly operation: string;
  readonly calls: Record<CallOutcome, number>;
  /** The latest exemplar of each outcome. */
  readonly callExemplars: Partial<Record<CallOutcome, Exemplar>> = {};
  attemptsSucceeded = 0;
  readonly attemptsFailed: Map<string, number> = new Map();
  /** The latest exemplar of each kind of error. */
  readonly attemptExemplars: Map<string, Exemplar> = new Map();
  readonly retries: Record<Exclude<DelaySource, 'none'>, number> = { backoff: 0, retry_after: 0, hedge: 0 };
  inAttempt = 0;
  waiting = 0;
  /** Retries per call that the alerts allow. */
  objectiveRatio = 0.02;
  readonly callDuration: ByResult;
  readonly attemptDuration: ByResult;
  readonly callAttempts: ByResult;
  readonly delay: HistogramCell;

  constructor(operation: string) {
    this.operation = operation;
    this.calls = Object.fromEntries(LABEL_VALUES.outcome.map(outcome => [outcome, 0])) as Record<CallOutcome, number>;
    this.callDuration = byResult(operation, METRICS.callDuration.buckets);
    this.attemptDuration = byResult(operation, METRICS.attemptDuration.buckets);
    this.callAttempts = byResult(operation, METRICS.callAttempts.buckets);
    this.delay = new HistogramCell(Object.freeze({ [LABELS.operation]: operation }), METRICS.delay.buckets ?? []);
  }

  /** Counts a failed attempt; gives the kind of error that it was counted as, which is `other` once their set is full. */
  attemptFailed(errorType: string): string {
    const failed = this.attemptsFailed;
    const counted = failed.has(errorType) || failed.size < MAX_ERROR_TYPES ? errorType : OTHER;
    failed.set(counted, (failed.get(counted) ?? 0) + 1);
    return counted;
  }
}

/** The two series of a histogram that is split by result. */
export interface ByResult {
  readonly success: HistogramCell;
  readonly failure: HistogramCell;
}

function byResult(operation: string, buckets: readonly number[] | undefined): ByResult {
  const cell = (result: 'success' | 'failure'): HistogramCell =>
    new HistogramCell(Object.freeze({ [LABELS.operation]: operation, [LABELS.result]: result }), buckets ?? []);
  return { success: cell('success'), failure: cell('failure') };
}
