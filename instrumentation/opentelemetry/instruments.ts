import type { Context, Meter, MeterProvider } from '@opentelemetry/api';
import { METRICS, type MetricDefinition } from '../names.ts';
import { FED_FAMILIES, readFamily } from '../store/families.ts';
import type { Attributes, HistogramSink } from '../store/histogram-cell.ts';
import { store } from '../store/store.ts';

/**
 * Shows the store through instruments of a MeterProvider. Counters and gauges are observable: they are read when
 * somebody collects, and cost nothing before. Histograms have no observable form, so each record goes to the
 * instrument too. Only one MeterProvider at a time shows them, and several observers share its instruments.
 */
export function bindInstruments(provider: MeterProvider, meter: Meter): void {
  if (store.meterProvider === provider) return;
  store.meterProvider = provider;
  for (const definition of FED_FAMILIES) {
    if (definition.kind !== 'histogram') observe(provider, meter, definition);
  }
  store.sinks = {
    callDuration: sinkFor(meter, METRICS.callDuration),
    attemptDuration: sinkFor(meter, METRICS.attemptDuration),
    delay: sinkFor(meter, METRICS.delay),
    callAttempts: sinkFor(meter, METRICS.callAttempts),
  };
  store.readers.add('instruments');
}

/** Stops feeding instruments. Those that exist keep their last numbers; the API cannot take them back. */
export function unbindInstruments(): void {
  store.meterProvider = undefined;
  store.sinks = undefined;
  store.readers.delete('instruments');
}

function observe(provider: MeterProvider, meter: Meter, definition: MetricDefinition): void {
  const options = { description: definition.description, unit: definition.unit };
  const instrument =
    definition.kind === 'counter'
      ? meter.createObservableCounter(definition.instrument, options)
      : meter.createObservableGauge(definition.instrument, options);
  const shown = new Map<string, Attributes>();
  instrument.addCallback(result => {
    // Another provider shows the numbers by now, or a reader has them from our producer.
    if (store.meterProvider !== provider) return;
    const family = readFamily(definition);
    if (family.kind === 'histogram') return;
    const gone = new Map(shown);
    for (const { value, attributes } of family.samples) {
      result.observe(value, attributes);
      const key = JSON.stringify(attributes);
      gone.delete(key);
      if (definition.kind === 'gauge') shown.set(key, attributes);
    }
    // The SDK goes on showing the last value of what is observed no more, as if it were fresh.
    for (const attributes of gone.values()) result.observe(Number.NaN, attributes);
  });
}

function sinkFor(meter: Meter, definition: MetricDefinition): HistogramSink {
  const instrument = meter.createHistogram(definition.instrument, {
    description: definition.description,
    unit: definition.unit,
    advice: { explicitBucketBoundaries: [...(definition.buckets ?? [])] },
  });
  return (value, attributes, context) => instrument.record(value, attributes, context as Context | undefined);
}
