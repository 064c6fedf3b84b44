import type {
  AttemptEnd,
  AttemptInfo,
  CallEnd,
  CallScope,
  RetryEvent,
  RetryObserver,
  Scope,
} from '../../src/engine/observer.ts';
import { COUNTS, CountingTurn } from './counting-turn.ts';
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
export const metricsObserver: RetryObserver = createMetricsObserver();

function createMetricsObserver(): RetryObserver {
  const observer = {
    [COUNTS]: true,
    call: (info: Parameters<RetryObserver['call']>[0]) =>
      store.readers.size > 0 && turn.isMine() ? new MeteredCall(store.cellsFor(info)) : undefined,
    prepare: (info: Parameters<RetryObserver['call']>[0]) => {
      store.cellsFor(info);
    },
  };
  const turn = new CountingTurn(observer);
  return observer;
}

/** A call that is counted and measured. */
export class MeteredCall implements CallScope {
  /** Undefined when another observer counts, or nobody reads. */
  readonly cells: OperationCells | undefined;
  #phase: 'attempt' | 'waiting' = 'attempt';

  constructor(cells: OperationCells | undefined) {
    this.cells = cells;
    if (cells !== undefined) recordCallStart(cells);
  }

  attempt(info: AttemptInfo): Scope<AttemptEnd> | undefined {
    this.attemptStarted(info);
    return new MeteredAttempt(this);
  }

  event(event: RetryEvent): void {
    if (this.cells !== undefined) recordRetry(this.cells, event, this.at);
  }

  end(end: CallEnd): void {
    if (this.cells !== undefined) recordCallEnd(this.cells, end, this.#phase, this.at);
  }

  attemptStarted(info: AttemptInfo): void {
    this.#phase = 'attempt';
    if (this.cells !== undefined) recordAttemptStart(this.cells, info);
  }

  attemptEnded(end: AttemptEnd): void {
    if (end.outcome === 'failure' && end.next === 'retry') this.#phase = 'waiting';
    if (this.cells !== undefined) recordAttemptEnd(this.cells, end, this.at);
  }

  /** For a call that has a span: where its records belong. */
  protected get at(): RecordContext | undefined {
    return undefined;
  }
}

class MeteredAttempt implements Scope<AttemptEnd> {
  readonly #call: MeteredCall;

  constructor(call: MeteredCall) {
    this.#call = call;
  }

  end(end: AttemptEnd): void {
    this.#call.attemptEnded(end);
  }
}
