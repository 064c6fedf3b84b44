import { createDataFrame, type DataFrame, FieldType } from '@grafana/data';
import type { TargetJson } from './dashboard.ts';
import type { InstantSeries, RangeSeries } from './prometheus.ts';

/** A frame for each series, as Grafana's Prometheus data source makes them. `step` is in seconds. */
export function frameOf(target: TargetJson, { metric, values }: RangeSeries, step: number | undefined): DataFrame {
  return createDataFrame({
    refId: target.refId,
    fields: [
      {
        name: 'Time',
        type: FieldType.time,
        values: values.map(([time]) => time * 1000),
        // Where a point is missing for longer than this, a line is interrupted.
        config: step === undefined ? {} : { interval: step * 1000 },
      },
      {
        name: 'Value',
        type: FieldType.number,
        values: values.map(([, value]) => numberOf(value)),
        labels: { ...metric },
        config: { displayNameFromDS: nameOf(target, metric) },
      },
    ],
  });
}

/** One frame with a column for each label, for tables. */
export function tableOf({ refId }: TargetJson, series: readonly InstantSeries[], valueName: string): DataFrame {
  const labels = [...new Set(series.flatMap(({ metric }) => Object.keys(metric)))].sort();
  return createDataFrame({
    refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: series.map(({ value }) => value[0] * 1000) },
      ...labels.map(label => ({
        name: label,
        type: FieldType.string,
        values: series.map(({ metric }) => metric[label] ?? ''),
        config: { filterable: true },
      })),
      { name: valueName, type: FieldType.number, values: series.map(({ value }) => numberOf(value[1])) },
    ],
  });
}

/** The name of a series: its legend with the labels filled in, or its labels. */
function nameOf({ legendFormat, expr = '' }: TargetJson, metric: Readonly<Record<string, string>>): string {
  if (legendFormat) return legendFormat.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => metric[label] ?? '');
  const { __name__: name = '', ...labels } = metric;
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length === 0 ? name || expr : `${name}{${pairs.join(', ')}}`;
}

function numberOf(text: string): number | null {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return text === 'NaN' ? null : Number(text);
}
