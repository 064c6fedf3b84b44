import { systemClock } from '../../src/engine/system-clock.ts';
import { VERSION } from '../../src/engine/version.ts';
import { SCOPE_NAME } from '../names.ts';
import { type Family, FED_FAMILIES, readFamily } from '../store/families.ts';
import { store } from '../store/store.ts';
import { unbindInstruments } from './instruments.ts';

/**
 * Hands our metrics to a reader whole: pass it in `metricProducers` of a Prometheus exporter or of any other metric
 * reader. Recording then costs a few nanoseconds where the SDK's own histograms cost hundreds. From then on nothing
 * goes through the instruments of the MeterProvider, so that no number is shown twice.
 *
 * @example
 * ```ts
 * const reader = new PrometheusExporter({ metricProducers: [retryMetricProducer()] });
 * ```
 */
export function retryMetricProducer(): RetryMetricProducer {
  const start = hrTime();
  store.readers.add('producer');
  unbindInstruments();
  return { collect: async () => collectAll(start) as never };
}

/**
 * A `MetricProducer` of `@opentelemetry/sdk-metrics`, 2.x and 3.x. Their types are not ours to import, and each line has
 * its own: a promise of `never` fits both.
 */
export interface RetryMetricProducer {
  collect(): Promise<never>;
}

function collectAll(start: HrTime): unknown {
  const metrics = FED_FAMILIES.map(definition => toMetric(readFamily(definition), start, hrTime()));
  const scope = { name: SCOPE_NAME, version: VERSION };
  return { resourceMetrics: { resource: NO_RESOURCE, scopeMetrics: [{ scope, metrics }] }, errors: [] };
}

/** The reader takes the resource from its own SDK. */
const NO_RESOURCE = { attributes: {}, merge: (other: unknown) => other, getRawAttributes: () => [] };

const DATA_POINT = { histogram: 0, gauge: 2, sum: 3 } as const;
const CUMULATIVE = 1;
const DOUBLE = 1;

type HrTime = [number, number];

function toMetric(family: Family, startTime: HrTime, endTime: HrTime): unknown {
  const { definition } = family;
  const { instrument: name, description, unit } = definition;
  const common = {
    descriptor: { name, description, unit, valueType: DOUBLE, advice: {} },
    aggregationTemporality: CUMULATIVE,
  };
  if (family.kind === 'histogram') {
    return {
      ...common,
      dataPointType: DATA_POINT.histogram,
      dataPoints: family.cells.map(cell => ({
        startTime,
        endTime,
        attributes: cell.attributes,
        value: {
          buckets: { boundaries: [...cell.bounds], counts: [...cell.counts] },
          sum: cell.sum,
          count: cell.count,
        },
      })),
    };
  }
  return {
    ...common,
    ...(family.kind === 'counter'
      ? { dataPointType: DATA_POINT.sum, isMonotonic: true }
      : { dataPointType: DATA_POINT.gauge }),
    dataPoints: family.samples.map(({ attributes, value }) => ({ startTime, endTime, attributes, value })),
  };
}

function hrTime(): HrTime {
  const ms = systemClock.wallNow();
  return [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)];
}
