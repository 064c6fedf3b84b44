import { metrics, trace } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  openTelemetryObserver,
  retryMetricProducer,
  setRetryObjective,
} from '../../instrumentation/opentelemetry/index.ts';
import { store } from '../../instrumentation/store/store.ts';
import { type RetryOptions, retry } from '../../src/core.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { parseExposition, scrape } from '../support/exposition.ts';
import { settle } from '../support/settle.ts';
import { startTracing, stopTelemetry } from './sdk.ts';

const observer = openTelemetryObserver();
let clock: FakeClock;
let base: RetryOptions<never>;
beforeEach(() => {
  clock = new FakeClock();
  base = { clock, observer, operation: 'load', jitter: false, initialDelay: 500 };
  store.operations.clear();
  store.readers.clear();
  store.sinks = undefined;
  store.meterProvider = undefined;
});
afterEach(stopTelemetry);

/** A success, a success in attempt 3, and a call that gives up. */
async function threeCalls(): Promise<void> {
  const failing = (): never => {
    throw Object.assign(new Error('x'), { code: 'ECONNRESET' });
  };
  await retry(() => 1, base as RetryOptions<number>);
  await settle(
    clock,
    retry(({ number }) => (number < 3 ? failing() : 1), base as RetryOptions<number>),
  );
  await settle(clock, retry(failing, base));
}

const EXPECTED = {
  'retry_calls_total{operation="load",outcome="success"}': 1,
  'retry_calls_total{operation="load",outcome="success_after_retry"}': 1,
  'retry_calls_total{operation="load",outcome="attempts_exhausted"}': 1,
  'retry_calls_total{operation="load",outcome="aborted"}': 0,
  'retry_attempts_total{operation="load",result="success"}': 2,
  'retry_attempts_total{error_type="ECONNRESET",operation="load",result="failure"}': 5,
  'retry_retries_total{delay_source="backoff",operation="load"}': 4,
  'retry_retries_total{delay_source="retry_after",operation="load"}': 0,
  'retry_call_duration_seconds_count{operation="load",result="success"}': 2,
  'retry_call_duration_seconds_sum{operation="load",result="success"}': 1.5,
  'retry_call_duration_seconds_sum{operation="load",result="failure"}': 1.5,
  'retry_attempt_duration_seconds_count{operation="load",result="failure"}': 5,
  'retry_delay_seconds_sum{operation="load"}': 3,
  'retry_delay_seconds_bucket{le="0.5",operation="load"}': 2,
  'retry_call_attempts_bucket{le="1",operation="load",result="success"}': 1,
  'retry_call_attempts_sum{operation="load",result="success"}': 4,
  'retry_calls_in_flight{operation="load",phase="attempt"}': 0,
  'retry_calls_in_flight{operation="load",phase="waiting"}': 0,
  'retry_objective_ratio{operation="load"}': 0.02,
  'retryscope_info{version="0.1.0"}': 1,
};

const options = { preventServerStart: true, withoutScopeInfo: true, withoutTargetInfo: true } as const;

describe('metrics through the instruments of a MeterProvider', () => {
  it('show every family, with our buckets', async () => {
    const reader = new PrometheusExporter(options);
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    await threeCalls();
    expect(parseExposition(await scrape(reader)).samples).toMatchObject(EXPECTED);
  });

  it('work when the SDK starts after the first calls, and with spans', async () => {
    await retry(() => 1, base as RetryOptions<number>);
    startTracing();
    const reader = new PrometheusExporter(options);
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    await threeCalls();
    expect(parseExposition(await scrape(reader)).samples).toMatchObject(EXPECTED);
    expect(trace.getTracerProvider()).toBeDefined();
  });
});

describe('metrics through our producer', () => {
  const start = (): PrometheusExporter => {
    const reader = new PrometheusExporter({ ...options, metricProducers: [retryMetricProducer()] } as never);
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    return reader;
  };

  it('show the same, and nothing twice', async () => {
    const reader = start();
    await threeCalls();
    // The parser refuses a sample that stands there twice.
    expect(parseExposition(await scrape(reader)).samples).toMatchObject(EXPECTED);
  });
});

describe('metrics through our producer and a push exporter', () => {
  it('are the same, with units and scope', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis: 1e8,
      exportTimeoutMillis: 1e4,
      metricProducers: [retryMetricProducer()],
    } as never);
    const provider = new MeterProvider({ readers: [reader] });
    metrics.setGlobalMeterProvider(provider);
    await threeCalls();
    await provider.forceFlush();
    const [scope, ...others] = exporter.getMetrics()[0]?.scopeMetrics ?? [];
    expect(others).toEqual([]);
    expect(scope?.scope).toEqual({ name: 'retryscope', version: '0.1.0' });
    const found = Object.fromEntries(scope?.metrics.map(metric => [metric.descriptor.name, metric]) ?? []);
    expect(Object.keys(found)).toHaveLength(27);
    expect(found['retry.call.duration.seconds']).toMatchObject({
      descriptor: { unit: 's', description: 'Total time of a call, waits included.' },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPoints: [
        { attributes: { operation: 'load', result: 'success' }, value: { count: 2, sum: 1.5 } },
        { attributes: { operation: 'load', result: 'failure' }, value: { count: 1, sum: 1.5 } },
      ],
    });
    expect(found['retry.calls']).toMatchObject({ descriptor: { unit: '{call}' }, isMonotonic: true });
    await provider.shutdown();
  });
});

describe('gauges', () => {
  it('tell how many calls are in an attempt and how many wait', async () => {
    const reader = new PrometheusExporter(options);
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    const controller = new AbortController();
    const flight = async (): Promise<unknown[]> => {
      const { samples } = parseExposition(await scrape(reader));
      return ['attempt', 'waiting'].map(phase => samples[`retry_calls_in_flight{operation="load",phase="${phase}"}`]);
    };
    const call = settle(
      clock,
      retry(({ number }) => (number === 1 ? Promise.reject(new Error('x')) : new Promise(() => undefined)), {
        ...base,
        signal: controller.signal,
      } as RetryOptions<unknown>),
    );
    const waiting = retry(() => Promise.reject(new Error('x')), {
      ...base,
      clock: new FakeClock(),
      signal: controller.signal,
    });
    waiting.catch(() => undefined);
    await new Promise(resolve => setImmediate(resolve));
    await new Promise(resolve => setImmediate(resolve));
    expect(await flight()).toEqual([1, 1]);
    controller.abort();
    await call;
    await waiting.catch(() => undefined);
    expect(await flight()).toEqual([0, 0]);
  });

  it('tell the objective that was set', async () => {
    const reader = new PrometheusExporter(options);
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    setRetryObjective('load', 0.5);
    await retry(() => 1, base as RetryOptions<number>);
    expect(parseExposition(await scrape(reader)).samples['retry_objective_ratio{operation="load"}']).toBe(0.5);
    expect(() => setRetryObjective('load', -1)).toThrow(RangeError);
  });
});
