import { context, metrics, trace } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace';
import { configureOpenTelemetry, openTelemetryObserver } from '../../instrumentation/opentelemetry/index.ts';
import { metricsObserver } from '../../instrumentation/store/observer.ts';
import { store } from '../../instrumentation/store/store.ts';
import { addObserver, faultCounts, retry } from '../../src/core.ts';
import { parseExposition, scrape } from '../support/exposition.ts';
import { seen, startTracing, stopTelemetry } from './sdk.ts';

/** Options for one test: what a policy caches about its operation must not outlive the store that is cleared. */
let quick: { readonly operation: string; readonly initialDelay: number; readonly jitter: false };
const removers: (() => void)[] = [];
const add = (observer: Parameters<typeof addObserver>[0]): void => {
  removers.push(addObserver(observer));
};

beforeEach(() => {
  quick = { operation: 'load', initialDelay: 0, jitter: false };
  store.operations.clear();
  store.readers.clear();
  store.sinks = undefined;
  store.meterProvider = undefined;
});
afterEach(() => {
  for (const remove of removers.splice(0)) remove();
  configureOpenTelemetry({});
  stopTelemetry();
});

function startMetrics(): PrometheusExporter {
  const reader = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true, withoutTargetInfo: true });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  return reader;
}

async function value(reader: PrometheusExporter, sample: string): Promise<number | undefined> {
  return parseExposition(await scrape(reader)).samples[sample];
}

const SUCCESS = 'retry_calls_total{operation="load",outcome="success"}';
const DURATION = 'retry_call_duration_seconds_count{operation="load",result="success"}';

describe('a call is counted once', () => {
  it('by whichever of the default observers comes first', async () => {
    const reader = startMetrics();
    add(openTelemetryObserver());
    add(metricsObserver);
    add(openTelemetryObserver());
    for (let i = 0; i < 3; i++) await retry(() => 1, quick);
    expect([await value(reader, SUCCESS), await value(reader, DURATION)]).toEqual([3, 3]);
  });

  it('by the next one when the first is taken away', async () => {
    const reader = startMetrics();
    const remove = addObserver(openTelemetryObserver());
    add(openTelemetryObserver());
    await retry(() => 1, quick);
    remove();
    await retry(() => 1, quick);
    expect([await value(reader, SUCCESS), await value(reader, DURATION)]).toEqual([2, 2]);
  });

  it('with spans of both, when both make some', async () => {
    const exporter = startTracing();
    const reader = startMetrics();
    add(openTelemetryObserver());
    add(openTelemetryObserver({ attemptSpans: 'never' }));
    await retry(() => 1, quick);
    expect(seen(exporter)).toHaveLength(3);
    expect(await value(reader, SUCCESS)).toBe(1);
  });

  it('by the observer of a policy, whatever the default observers do', async () => {
    const reader = startMetrics();
    add(openTelemetryObserver());
    await retry(() => 1, { ...quick, observer: openTelemetryObserver() });
    expect([await value(reader, SUCCESS), await value(reader, DURATION)]).toEqual([1, 1]);
  });
});

describe('providers', () => {
  it('of an observer’s own are used in place of the global ones', async () => {
    const reader = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true });
    const meterProvider = new MeterProvider({ readers: [reader] });
    const observer = openTelemetryObserver({ meterProvider });
    // Another observer that finds no MeterProvider does not take it away.
    await retry(() => 1, { ...quick, observer });
    await retry(() => 1, { ...quick, observer: openTelemetryObserver() });
    await retry(() => 1, { ...quick, observer });
    expect(await value(reader, DURATION)).toBeGreaterThanOrEqual(2);
  });

  it('that are replaced take over from the ones before', async () => {
    const observer = openTelemetryObserver();
    const first = startMetrics();
    await retry(() => 1, { ...quick, observer });
    metrics.disable();
    const second = startMetrics();
    await retry(() => 1, { ...quick, observer });
    expect([await value(first, DURATION), await value(second, DURATION)]).toEqual([1, 1]);
    expect(await value(second, SUCCESS)).toBe(2);
  });

  it('are not fed when metrics are switched off', async () => {
    const reader = startMetrics();
    await retry(() => 1, { ...quick, observer: openTelemetryObserver({ metrics: 'none' }) });
    expect(await value(reader, SUCCESS)).toBeUndefined();
  });
});

describe('configureOpenTelemetry', () => {
  it('changes observers without options of their own, from the next call on', async () => {
    const exporter = startTracing();
    add(openTelemetryObserver());
    configureOpenTelemetry({ attemptSpans: 'never' });
    await retry(() => 1, quick);
    expect(seen(exporter).map(({ name }) => name)).toEqual(['retry load']);
    configureOpenTelemetry({});
    await retry(() => 1, quick);
    expect(seen(exporter)).toHaveLength(3);
  });

  it.each([
    [{ attemptSpans: 'sometimes' }, "attemptSpans is \"sometimes\"; it must be 'always', 'retries' or 'never'"],
    [{ metrics: 'all' }, "metrics is \"all\"; it must be 'auto' or 'none'"],
    [{ attemptSpan: 'never' }, '"attemptSpan" is not an option; did you mean "attemptSpans"?'],
    [{ tracerProvider: {} }, 'tracerProvider is an object; it must be a TracerProvider'],
  ])('refuses %j', (options, message) => {
    expect(() => configureOpenTelemetry(options as never)).toThrow(new TypeError(message));
    expect(() => openTelemetryObserver(options as never)).toThrow(new TypeError(message));
  });
});

describe('a call without spans', () => {
  it('is counted all the same, with tracing suppressed', async () => {
    const exporter = startTracing();
    const reader = startMetrics();
    let inside: unknown = 'not run';
    await context.with(suppressTracing(context.active()), () =>
      retry(
        () => {
          inside = trace.getSpan(context.active());
        },
        { ...quick, observer: openTelemetryObserver() },
      ),
    );
    expect([seen(exporter), inside, await value(reader, SUCCESS)]).toEqual([[], undefined, 1]);
  });

  it('is counted all the same, when nothing is sampled', async () => {
    const sampler: Sampler = {
      shouldSample: () => ({ decision: SamplingDecision.NOT_RECORD }),
      toString: () => 'never',
    };
    startTracing({ sampler });
    const reader = startMetrics();
    const observer = openTelemetryObserver();
    await retry(() => 1, { ...quick, observer });
    const failing = ({ number }: { number: number }): number => (number === 1 ? Promise.reject('x') : 1) as number;
    await retry(failing, { ...quick, observer });
    expect(await value(reader, SUCCESS)).toBe(1);
    expect(await value(reader, 'retry_calls_total{operation="load",outcome="success_after_retry"}')).toBe(1);
    expect(await value(reader, 'retry_calls_in_flight{operation="load",phase="attempt"}')).toBe(0);
  });

  it('is counted all the same, when a sampler throws', async () => {
    const sampler: Sampler = {
      shouldSample: () => {
        throw new Error('broken sampler');
      },
      toString: () => 'broken',
    };
    startTracing({ sampler });
    const reader = startMetrics();
    const before = faultCounts().get('tracer') ?? 0;
    await expect(retry(() => 5, { ...quick, observer: openTelemetryObserver() })).resolves.toBe(5);
    expect(await value(reader, SUCCESS)).toBe(1);
    expect(faultCounts().get('tracer')).toBe(before + 1);
    expect(await value(reader, 'retry_telemetry_errors_total{source="tracer"}')).toBe(before + 1);
  });
});

describe('the start of a span', () => {
  it('is told to the sampler alike for every call', async () => {
    const asked: unknown[] = [];
    const sampler: Sampler = {
      shouldSample: (_context, _traceId, name, kind, attributes) => {
        asked.push([name, kind, { ...attributes }]);
        Object.assign(attributes, { changed: true });
        return { decision: SamplingDecision.RECORD_AND_SAMPLED };
      },
      toString: () => 'asking',
    };
    startTracing({ sampler });
    const observer = openTelemetryObserver();
    const options = { ...quick, observer };
    await retry(() => 1, options);
    await retry(() => 1, options);
    expect(asked.slice(2)).toEqual(asked.slice(0, 2));
    expect(asked[0]).toEqual(['retry load', 0, { 'retry.operation': 'load', 'retry.max_attempts': 3 }]);
  });
});

describe('an SDK that our copy of the API cannot see', () => {
  it('is pointed out once', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const KEY = Symbol.for('opentelemetry.js.api.1');
    const meeting = globalThis as { [KEY]?: unknown };
    const before = meeting[KEY];
    meeting[KEY] = { version: '0.9.0', trace: {} };
    try {
      const observer = openTelemetryObserver();
      for (let i = 0; i < 3; i++) await retry(() => 1, { ...quick, observer });
      await retry(() => 1, { ...quick, observer: openTelemetryObserver() });
      expect(warn.mock.calls.map(([, options]) => (options as { code?: string }).code)).toEqual([
        'RETRYSCOPE_HIDDEN_SDK',
      ]);
    } finally {
      meeting[KEY] = before;
      warn.mockRestore();
    }
  });

  it('is found although nothing is registered where it used to be', async () => {
    const observer = openTelemetryObserver();
    const KEY = Symbol.for('opentelemetry.js.api.1');
    const meeting = globalThis as { [KEY]?: unknown };
    const before = meeting[KEY];
    delete meeting[KEY];
    await retry(() => 1, { ...quick, observer });
    const get = jest.spyOn(trace, 'getTracerProvider');
    for (let i = 0; i < 2048; i++) await retry(() => 1, { ...quick, observer });
    expect(get).toHaveBeenCalledTimes(2);
    get.mockRestore();
    meeting[KEY] = before;
  });
});
