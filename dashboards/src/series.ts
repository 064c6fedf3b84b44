import { LABELS, labelName, METRICS, type MetricName } from '../../instrumentation/names.ts';
import type { DashboardsConfig, Window } from './config.ts';

/** The names of recorded series. A window stays in the name when a scale makes it shorter. */
export const RECORDED = {
  calls: (window: Window): string => `job_operation:retry_calls:rate${window}`,
  /** Without hedges. */
  retries: (window: Window): string => `job_operation:retry_retries:rate${window}`,
  /** Retries per call: what the burn alerts compare with the objective. */
  retriesPerCall: (window: Window): string => `job_operation:retry_retries_per_call:ratio_rate${window}`,
  /** The objective of each operation, one series each. */
  objective: 'job_operation:retry_objective:ratio',
  /** Calls that gave up after retries, per call. */
  exhausted: 'job_operation:retry_exhausted:ratio_rate5m',
  /** Of the calls that were retried, those that recovered. */
  recovered: 'job_operation:retry_recovered:ratio_rate5m',
  /** Attempts per call. */
  amplification: 'job_operation:retry_amplification:ratio_rate5m',
  /** Share of the callers' time spent waiting between attempts. */
  delayShare: 'job_operation:retry_delay_share:ratio_rate5m',
  /** Seconds that callers waited between attempts, per second. */
  waiting: 'job_operation:retry_waiting_seconds:rate5m',
  /** The plain pair. */
  success: 'retry_success_total',
  failure: 'retry_failure_total',
} as const;

/** Outcomes by what they say of retries. */
export const OUTCOMES = {
  succeeded: ['success', 'success_after_retry'],
  recovered: ['success_after_retry'],
  /** Those that a retry was made for. A call whose first retry was denied says nothing about retries. */
  retried: ['success_after_retry', 'attempts_exhausted', 'deadline_exceeded'],
  /** Retried, or about to be, and given up. */
  exhausted: ['attempts_exhausted', 'deadline_exceeded', 'budget_exhausted'],
  denied: ['budget_exhausted'],
} as const;

/** The label that a metric has in Prometheus. */
export function label(key: keyof typeof LABELS): string {
  return labelName(LABELS[key]);
}

/**
 * A selector of a family: its name, the matchers of the configuration, and those that are given.
 *
 * @param part `bucket`, `sum` or `count` of a histogram
 */
export function series(
  config: Pick<DashboardsConfig, 'selector'>,
  name: MetricName,
  matchers: readonly string[] = [],
  part?: 'bucket' | 'sum' | 'count',
): string {
  const family = part === undefined ? METRICS[name].family : `${METRICS[name].family}_${part}`;
  const all = [...(config.selector === '' ? [] : [config.selector]), ...matchers];
  return all.length === 0 ? family : `${family}{${all.join(', ')}}`;
}

/** A matcher for a set of values, as in `outcome=~"success|success_after_retry"`. */
export function oneOf(key: keyof typeof LABELS, values: readonly string[]): string {
  return values.length === 1 ? `${label(key)}="${values[0]}"` : `${label(key)}=~"${values.join('|')}"`;
}

/** A matcher for anything but a set of values. */
export function noneOf(key: keyof typeof LABELS, values: readonly string[]): string {
  return values.length === 1 ? `${label(key)}!="${values[0]}"` : `${label(key)}!~"${values.join('|')}"`;
}
