import type {
  AttemptEnd,
  AttemptInfo,
  CallEnd,
  CallScope,
  RetryEvent,
  RetryObserver,
  Scope,
} from '../../src/engine/observer.ts';
import type { OperationCells } from './operation-cells.ts';
import {
  type RecordContext,
  recordAttemptEnd,
  recordAttemptStart,
  recordCallEnd,
  recordCallStart,
  recordRetry,
} from './record.ts';
import { store } from './store.ts';

/** An observer that counts and measures, and makes no spans. */
export const metricsObserver: RetryObserver = {
  call: info => (store.readers.size === 0 ? undefined : new MeteredCall(store.cellsFor(info))),
  prepare: info => {
    store.cellsFor(info);
  },
};

/** A call that is counted and measured. */
export class MeteredCall implements CallScope {
  readonly cells: OperationCells;
  #phase: 'attempt' | 'waiting' = 'attempt';
  #attempt: Scope<AttemptEnd> | undefined;

  constructor(cells: OperationCells) {
    this.cells = cells;
    recordCallStart(cells);
  }

  attempt(info: AttemptInfo): Scope<AttemptEnd> {
    this.#phase = 'attempt';
    recordAttemptStart(this.cells, info);
    this.#attempt ??= { end: end => this.attemptEnded(end, undefined) };
    return this.#attempt;
  }

  event(event: RetryEvent): void {
    this.retryScheduled(event, undefined);
  }

  end(end: CallEnd): void {
    this.callEnded(end, undefined);
  }

  /** For a scope that adds spans to the counting: the same steps, with the span at hand. */
  protected attemptEnded(end: AttemptEnd, at: RecordContext | undefined): void {
    recordAttemptEnd(this.cells, end, at);
    if (end.outcome === 'failure' && end.next === 'retry') this.#phase = 'waiting';
  }

  protected retryScheduled(event: RetryEvent, at: RecordContext | undefined): void {
    recordRetry(this.cells, event, at);
  }

  protected callEnded(end: CallEnd, at: RecordContext | undefined): void {
    recordCallEnd(this.cells, end, this.#phase, at);
  }
}
