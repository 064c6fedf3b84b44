import type { CallInfo } from '../../src/engine/observer.ts';
import { OTHER } from '../names.ts';
import type { HistogramSink } from './histogram-cell.ts';
import { OperationCells } from './operation-cells.ts';

/** How many operations are told apart; further ones count as `other`. */
export const MAX_OPERATIONS = 200;

/** The longest operation name that a label holds, in characters. */
export const MAX_LABEL = 64;

/** The histograms of the schema that the engine feeds. */
export type HistogramName = 'callDuration' | 'attemptDuration' | 'delay' | 'callAttempts';

/**
 * Our own metric cells. A counter that is found once and then added to costs a few nanoseconds, where the instruments
 * of a metrics SDK sort and serialise their attributes at each record; every route to Prometheus reads the same cells,
 * so all of them show the same numbers.
 */
export class MetricStore {
  readonly operations: Map<string, OperationCells> = new Map();
  /** Policies or calls whose operation had to go to `other`, and attempts whose kind of error had to. */
  readonly overflow: { operation: number; error_type: number } = { operation: 0, error_type: 0 };
  /** Who reads the cells: recording is skipped as long as nobody does. */
  readonly readers: Set<string> = new Set();
  /** OpenTelemetry histograms that are fed as well, where no reader can take the cells themselves. */
  sinks: Readonly<Record<HistogramName, HistogramSink>> | undefined;
  /** The MeterProvider whose instruments show the cells. */
  meterProvider: unknown;
  /** True once somebody shows exemplars. */
  keepsExemplars = false;
  readonly #byInfo: WeakMap<CallInfo, OperationCells> = new WeakMap();

  /** The cells for calls with these facts. */
  cellsFor(info: CallInfo): OperationCells {
    const known = this.#byInfo.get(info);
    if (known !== undefined) return known;
    const cells = this.cellsOf(info.operation);
    this.#byInfo.set(info, cells);
    return cells;
  }

  /** The cells of an operation, made when it is first named. */
  cellsOf(operation: string): OperationCells {
    const name = cleanLabel(operation);
    const known = this.operations.get(name);
    if (known !== undefined) return known;
    if (this.operations.size < MAX_OPERATIONS) return this.#add(name);
    this.overflow.operation++;
    return this.operations.get(OTHER) ?? this.#add(OTHER);
  }

  #add(name: string): OperationCells {
    const cells = new OperationCells(name);
    this.operations.set(name, cells);
    return cells;
  }
}

const KEY = Symbol.for('retryscope.metrics.1');
const shared = globalThis as { [KEY]?: MetricStore };

/** The one store of this process, shared by all copies of the package. */
export const store: MetricStore = shared[KEY] ?? new MetricStore();
shared[KEY] = store;

/** A text fit for a label: no control characters, not too long, and no half of a surrogate pair. */
export function cleanLabel(text: string): string {
  return text.replace(UNPRINTABLE, ' ').slice(0, MAX_LABEL).toWellFormed();
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;
