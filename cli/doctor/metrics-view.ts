import type { DashboardsConfig } from '../../dashboards/src/config.ts';
import { LABELS, labelName, METRICS, type MetricName } from '../../instrumentation/names.ts';
import type { FileView } from './file-view.ts';
import type { Sample } from './parse-metrics.ts';

/** The metrics of a running process as the rules see them. */
export interface MetricsView {
  /** The samples of a family; of a histogram its buckets, or its sums and counts where that is asked for. */
  of(family: MetricName, part?: 'bucket' | 'sum' | 'count'): readonly Sample[];
  /** Names of the samples that are there, whoever made them. */
  readonly names: ReadonlySet<string>;
  readonly alerts: DashboardsConfig;
  /** The policy file, where one was given as well. */
  readonly file: FileView | undefined;
}

/** Makes a view of the samples of one scrape. */
export function viewMetrics(samples: readonly Sample[], terms: Pick<MetricsView, 'alerts' | 'file'>): MetricsView {
  const byName = Map.groupBy(samples, ({ name }) => name);
  return {
    of: (family, part) => byName.get(sampleName(family, part)) ?? [],
    names: new Set(byName.keys()),
    ...terms,
  };
}

/** The name of the samples of a family. */
export function sampleName(family: MetricName, part: 'bucket' | 'sum' | 'count' = 'bucket'): string {
  const { family: name, kind } = METRICS[family];
  return kind === 'histogram' ? `${name}_${part}` : name;
}

/** The name of a label, as it is in Prometheus. */
export function label(name: keyof typeof LABELS): string {
  return labelName(LABELS[name]);
}

/** A series as it would be asked for: `retry_overflow_total{source="limit"}`. */
export function series(family: MetricName, labels: Readonly<Record<string, string | undefined>> = {}): string {
  const inside = Object.entries(labels)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',');
  return `${METRICS[family].family}${inside === '' ? '' : `{${inside}}`}`;
}

/** Sums of samples by a label; those without it are left out. */
export function sumBy(samples: readonly Sample[], name: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { labels, value } of samples) {
    const key = labels[name];
    if (key !== undefined && Number.isFinite(value)) sums.set(key, (sums.get(key) ?? 0) + value);
  }
  return sums;
}

/** The sum of all samples. */
export function total(samples: readonly Sample[]): number {
  return samples.reduce((sum, { value }) => sum + (Number.isFinite(value) ? value : 0), 0);
}
