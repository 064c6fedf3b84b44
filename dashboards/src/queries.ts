import type { DashboardsConfig } from './config.ts';
import { inProcess } from './selectors.ts';
import { label, noneOf, OUTCOMES, oneOf, series } from './series.ts';

type Metric = Parameters<typeof series>[1];
type Histogram = 'callDuration' | 'attemptDuration' | 'callAttempts' | 'delay';

/** The queries that several panels ask, for what is chosen on the dashboard. */
export class Queries {
  readonly #config: DashboardsConfig;

  constructor(config: DashboardsConfig) {
    this.#config = config;
  }

  /** A selector for the chosen processes and operations. */
  ofOperations(metric: Metric, matchers: readonly string[] = [], part?: 'bucket' | 'sum' | 'count'): string {
    const chosen = [...inProcess(this.#config), `${label('operation')}=~"$operation"`];
    return series(this.#config, metric, [...chosen, ...matchers], part);
  }

  /** A selector for the chosen processes, of what has no operation. */
  ofProcesses(metric: Metric, matchers: readonly string[] = []): string {
    return series(this.#config, metric, [...inProcess(this.#config), ...matchers]);
  }

  /** Per second, by these labels. */
  rate(selector: string, ...by: string[]): string {
    return `${sum(by)}(rate(${selector}[$__rate_interval]))`;
  }

  calls(outcomes?: readonly string[], ...by: string[]): string {
    return this.rate(this.ofOperations('calls', outcomes === undefined ? [] : [oneOf('outcome', outcomes)]), ...by);
  }

  /** Attempts that failed. */
  failures(...by: string[]): string {
    return this.rate(this.ofOperations('attempts', [oneOf('result', ['failure'])]), ...by);
  }

  retries(...by: string[]): string {
    return this.rate(this.ofOperations('retries'), ...by);
  }

  /** Of all calls, those that succeeded, by these labels. */
  success(...by: string[]): string {
    return ratio(this.calls(OUTCOMES.succeeded, ...by), this.calls(undefined, ...by));
  }

  /** Of the calls that were retried, those that recovered. */
  recovered(...by: string[]): string {
    return ratio(this.calls(OUTCOMES.recovered, ...by), this.calls(OUTCOMES.retried, ...by));
  }

  /** Attempts per call. */
  amplification(...by: string[]): string {
    return ratio(this.rate(this.ofOperations('attempts'), ...by), this.calls(undefined, ...by));
  }

  /** Retries per call, as the objective counts them: a hedge is made on purpose, and before anything has failed. */
  retriesPerCall(...by: string[]): string {
    const retries = this.ofOperations('retries', [noneOf('delaySource', ['hedge'])]);
    return ratio(this.rate(retries, ...by), this.calls(undefined, ...by));
  }

  /** Of the callers' time, what they waited between attempts. A delay counts from its start, a call once it has ended. */
  delayShare(...by: string[]): string {
    const waited = this.rate(this.ofOperations('delay', [], 'sum'), ...by);
    return `clamp_max(${ratio(waited, this.rate(this.ofOperations('callDuration', [], 'sum'), ...by))}, 1)`;
  }

  /** Of the capacity of each budget, what is left. */
  tokensLeft(): string {
    return `${this.ofProcesses('budgetTokens')} / (${this.ofProcesses('budgetCapacity')} > 0)`;
  }

  /** How the values of a histogram spread, for a heatmap. */
  spread(metric: Histogram): string {
    return this.rate(this.ofOperations(metric, [], 'bucket'), 'le');
  }

  /** A quantile of a histogram; absent, and not NaN, where there is nothing in it. */
  quantile(q: number, metric: Histogram, ...by: string[]): string {
    return `histogram_quantile(${q}, ${this.rate(this.ofOperations(metric, [], 'bucket'), 'le', ...by)}) >= 0`;
  }

  /** What was counted in the time that is shown. */
  increase(selector: string): string {
    return `sum(increase(${selector}[$__range]))`;
  }
}

/** A ratio that is absent, and not NaN, where there is nothing to divide by. */
export function ratio(numerator: string, denominator: string): string {
  return `${numerator} / (${denominator} > 0)`;
}

function sum(by: readonly string[]): string {
  return by.length === 0 ? 'sum' : `sum by (${by.join(', ')}) `;
}
