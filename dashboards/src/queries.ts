import type { DashboardsConfig } from './config.ts';
import { inProcess } from './frame.ts';
import { label, OUTCOMES, oneOf, series } from './series.ts';

type Metric = Parameters<typeof series>[1];

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

  attempts(...by: string[]): string {
    return this.rate(this.ofOperations('attempts'), ...by);
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
    return ratio(
      this.calls(OUTCOMES.recovered, ...by),
      this.calls([...OUTCOMES.recovered, ...OUTCOMES.exhausted], ...by),
    );
  }

  /** Attempts per call. */
  amplification(...by: string[]): string {
    return ratio(this.attempts(...by), this.calls(undefined, ...by));
  }

  /** Retries per call. */
  retriesPerCall(...by: string[]): string {
    return ratio(this.retries(...by), this.calls(undefined, ...by));
  }

  /** Of the callers' time, what they waited between attempts. */
  delayShare(...by: string[]): string {
    return ratio(
      this.rate(this.ofOperations('delay', [], 'sum'), ...by),
      this.rate(this.ofOperations('callDuration', [], 'sum'), ...by),
    );
  }

  /** A quantile of a histogram. */
  quantile(q: number, metric: 'callDuration' | 'attemptDuration' | 'delay', ...by: string[]): string {
    return `histogram_quantile(${q}, ${this.rate(this.ofOperations(metric, [], 'bucket'), 'le', ...by)})`;
  }
}

/** A ratio that is absent, and not NaN, where there is nothing to divide by. */
export function ratio(numerator: string, denominator: string): string {
  return `${numerator} / (${denominator} > 0)`;
}

function sum(by: readonly string[]): string {
  return by.length === 0 ? 'sum' : `sum by (${by.join(', ')}) `;
}
