import { addObserver } from '../../src/engine/default-observer.ts';
import { labelName, type MetricDefinition } from '../names.ts';
import { firstCounter } from '../store/counting-turn.ts';
import { type Family, FED_FAMILIES, readFamily } from '../store/families.ts';
import type { Exemplar, HistogramCell } from '../store/histogram-cell.ts';
import { metricsObserver } from '../store/observer.ts';
import { store } from '../store/store.ts';

/**
 * Shows the retry metrics in a registry of `prom-client` 15 or `@prometheus-io/client`, with the same families, labels
 * and values as through OpenTelemetry. A second call with the same registry does nothing. In OpenMetrics mode the
 * buckets of histograms carry exemplars with the trace.
 *
 * @throws TypeError when `registry` is no registry of either
 *
 * @example
 * ```ts
 * registerRetryMetrics(register);
 * ```
 */
export function registerRetryMetrics(registry: PrometheusRegistry): void {
  if (typeof registry?.registerMetric !== 'function' || typeof registry.getSingleMetric !== 'function') {
    throw new TypeError(
      'registerRetryMetrics: the argument must be a Registry of prom-client or @prometheus-io/client',
    );
  }
  store.readers.add('prometheus');
  if (showsExemplars(registry)) store.keepsExemplars = true;
  // The OpenTelemetry observer of the main entry counts into the same store; without it somebody else must.
  if (firstCounter() === undefined) addObserver(metricsObserver);
  for (const definition of FED_FAMILIES) {
    if (registry.getSingleMetric(definition.family) === undefined) {
      registry.registerMetric(toMetric(definition, registry) as never);
    }
  }
}

/** What is used of a registry. */
export interface PrometheusRegistry {
  registerMetric(metric: never): void;
  getSingleMetric(name: string): unknown;
  readonly contentType?: string;
}

/** What a registry asks of a metric. */
interface RegisteredMetric {
  name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: 'sum';
  collect(): void;
  reset(): void;
  get(): unknown;
}

function toMetric(definition: MetricDefinition, registry: PrometheusRegistry): RegisteredMetric {
  return {
    name: definition.family,
    help: definition.description,
    type: definition.kind,
    aggregator: 'sum',
    collect: () => undefined,
    // The cells belong to the process, not to one registry: nothing is lost because somebody resets theirs.
    reset: () => undefined,
    get() {
      const family = readFamily(definition);
      const mode = showsExemplars(registry) ? 'with_exemplars' : 'plain';
      // The registry may have changed its mode since.
      if (mode === 'with_exemplars') store.keepsExemplars = true;
      return {
        // Read anew: in OpenMetrics mode the registry takes the suffix _total off it.
        name: this.name,
        help: definition.description,
        type: definition.kind,
        aggregator: 'sum',
        values: valuesOf(family, definition.family, mode),
      };
    },
  };
}

type Mode = 'with_exemplars' | 'plain';

function showsExemplars(registry: PrometheusRegistry): boolean {
  return registry.contentType?.startsWith('application/openmetrics-text') ?? false;
}

function valuesOf(family: Family, name: string, mode: Mode): unknown[] {
  if (family.kind === 'histogram') return family.cells.flatMap(cell => bucketsOf(cell, name, mode));
  return family.samples.map(({ attributes, value, exemplar }) => ({
    labels: labelsOf(attributes),
    value,
    ...(mode === 'with_exemplars' ? { exemplar: toExemplar(exemplar) ?? null } : undefined),
  }));
}

function bucketsOf(cell: HistogramCell, name: string, mode: Mode): unknown[] {
  const labels = labelsOf(cell.attributes);
  let cumulative = 0;
  const buckets = cell.counts.map((count, i) => {
    cumulative += count;
    const exemplar = mode === 'with_exemplars' ? toExemplar(cell.exemplars[i]) : undefined;
    return {
      labels: { le: cell.bounds[i] ?? '+Inf', ...labels },
      value: cumulative,
      metricName: `${name}_bucket`,
      exemplar: exemplar ?? null,
    };
  });
  return [
    ...buckets,
    { labels, value: cell.sum, metricName: `${name}_sum` },
    { labels, value: cell.count, metricName: `${name}_count` },
  ];
}

function toExemplar(exemplar: Exemplar | undefined): unknown {
  if (exemplar === undefined) return undefined;
  const { traceId, spanId, value, time } = exemplar;
  return { labelSet: { trace_id: traceId, span_id: spanId }, value, timestamp: time / 1000 };
}

function labelsOf(attributes: Readonly<Record<string, string>>): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(attributes)) labels[labelName(key)] = value;
  return labels;
}
