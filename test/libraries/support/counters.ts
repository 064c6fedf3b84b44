import { METRICS, type MetricDefinition } from '../../../instrumentation/names.ts';
import { readFamily } from '../../../instrumentation/store/families.ts';
import { store } from '../../../instrumentation/store/store.ts';

/** Reads the metrics of this process by name and labels, as Prometheus would show them. */
export function storeFamilies(): Counters {
  store.readers.add('test');
  return {
    totals: definitions => Object.fromEntries(definitions.flatMap(samplesOf).filter(([, value]) => value !== 0)),
    inFlight: () => samplesOf(METRICS.callsInFlight).reduce((total, [, value]) => total + Math.abs(value), 0),
  };
}

/** See {@link storeFamilies}. */
export interface Counters {
  totals(definitions: readonly MetricDefinition[]): Record<string, number>;
  inFlight(): number;
}

function samplesOf(definition: MetricDefinition): [string, number][] {
  const family = readFamily(definition);
  if (family.kind === 'histogram') return [];
  return family.samples.map(({ attributes, value }) => {
    const labels = Object.entries(attributes).map(([key, text]) => `${key}=${String(text)}`);
    return [`${definition.family}{${labels.sort().join(',')}}`, value];
  });
}
