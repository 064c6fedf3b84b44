import type { RangeSeries } from './prometheus.ts';

/** A histogram over time: for each bucket, how much fell into it and not into those below. */
export interface Buckets {
  /** Upper ends of the buckets, the lowest first; the last may be infinite. */
  readonly ends: readonly number[];
  /** Seconds since 1970, and how many seconds a cell is wide. */
  readonly times: readonly number[];
  readonly step: number;
  /** By bucket, then by time. */
  readonly counts: readonly (readonly number[])[];
}

/** Prometheus counts in each bucket all that is below its end; a heatmap shows what is new in it. */
export function bucketsOf(series: readonly RangeSeries[], step: number): Buckets {
  const sorted = series
    .map(({ metric, values }) => ({ end: endOf(metric.le ?? ''), at: new Map(values.map(([t, v]) => [t, Number(v)])) }))
    .sort((a, b) => a.end - b.end);
  const times = [...new Set(sorted.flatMap(({ at }) => [...at.keys()]))].sort((a, b) => a - b);
  const counts = sorted.map(({ at }, i) =>
    times.map(time => Math.max(0, (at.get(time) ?? 0) - (sorted[i - 1]?.at.get(time) ?? 0))),
  );
  return { ends: sorted.map(({ end }) => end), times, step, counts };
}

function endOf(le: string): number {
  return le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
}
