import type { RedriveEvent } from './redrive-options.ts';

/**
 * What a redrive did before it failed with `error`, which is what its store has thrown; undefined for anything else, and for
 * primitives. The error itself is never touched: it may be frozen.
 *
 * @example
 * ```ts
 * try {
 *   await redrive(queue);
 * } catch (error) {
 *   console.error(redriveReport(error)?.results);
 *   throw error;
 * }
 * ```
 */
export function redriveReport(error: unknown): RedriveReport | undefined {
  return isObject(error) ? reports.get(error) : undefined;
}

/** What a run did. */
export interface RedriveReport {
  /**
   * Why it ended: no letter was left, the limit, the failure rate, or the signal. `fault` stands only in what
   * `redriveReport` gives: the store has failed.
   */
  readonly stopped: 'done' | 'limit' | 'failure_rate' | 'aborted' | 'fault';
  /** How many letters came to each result; `quarantined` ones failed as well, and are counted once. */
  readonly results: Readonly<Record<RedriveEvent['result'], number>>;
  /** The name under which this run held its claims. */
  readonly owner: string;
}

/** Keeps the report for {@link redriveReport}, as long as the error lives. */
export function rememberReport(error: unknown, report: RedriveReport): void {
  if (isObject(error)) reports.set(error, report);
}

/** Shared by all copies of the package. */
const reports: WeakMap<object, RedriveReport> = /* @__PURE__ */ sharedReports();

function sharedReports(): WeakMap<object, RedriveReport> {
  const key = Symbol.for('retryscope.redrive-reports.1');
  const shared = globalThis as { [key: symbol]: WeakMap<object, RedriveReport> | undefined };
  shared[key] ??= new WeakMap();
  return shared[key];
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
