import { Writable } from 'node:stream';
import { metrics, SpanStatusCode } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { createLogger, format, transports } from 'winston';
import { logTo } from '../../instrumentation/loggers/index.ts';
import { retryMetricProducer } from '../../instrumentation/opentelemetry/index.ts';
import { store } from '../../instrumentation/store/store.ts';
import '../../src/index.ts';
import { NO_CLIENT_RETRIES, publishEvent } from '../../src/services/kafka/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { until } from '../redis/support/until.ts';
import { seen, startTracing, stopTelemetry } from '../spans/sdk.ts';
import { parseExposition, scrape } from '../support/exposition.ts';
import { outcomeOf } from '../support/settle.ts';
import { type KafkaWireMock, startKafkaWireMock } from './kafka-wire-mock.ts';

// The story of the event that is published while the broker recovers:
//
//   Attempt 1: KafkaError (broker not ready)
//   Wait 1.2s (with jitter)...
//   Attempt 2: KafkaError (still recovering)
//   Wait 2.4s (with jitter)...
//   Attempt 3: Success (event published)

const LEADER_NOT_AVAILABLE = 5;
const NO_LEADER = 'There is no leader for this topic-partition as we are in the middle of a leadership election';
const NOT_READY = `KafkaJSNumberOfRetriesExceeded: ${NO_LEADER}`;
const event = { topic: 'orders', key: '42', value: '{"order":42}' };

let mock: KafkaWireMock;
let producer: Producer;
let clock: FakeClock;
let lines: Record<string, unknown>[];
let stopLogging: () => void;

beforeEach(async () => {
  mock = await startKafkaWireMock();
  const kafka = new Kafka({ brokers: mock.brokers, logLevel: logLevel.NOTHING, ...NO_CLIENT_RETRIES.kafkajs });
  const createPartitioner = Partitioners.DefaultPartitioner;
  producer = kafka.producer({ createPartitioner, ...NO_CLIENT_RETRIES.kafkajs });
  await producer.connect();
  clock = new FakeClock();
  // The jitter of the story: 1.2 of 1 s, and of 2 s.
  clock.nextRandom = 0.7;
  lines = [];
  const stream = new Writable({
    write: (chunk, _, done) => {
      lines.push(JSON.parse(String(chunk)) as Record<string, unknown>);
      done();
    },
  });
  stopLogging = logTo(createLogger({ format: format.json(), transports: [new transports.Stream({ stream })] }));
  store.operations.clear();
});
afterEach(async () => {
  stopLogging();
  stopTelemetry();
  await producer.disconnect();
  await mock.end();
});

/** Lets the next wait begin, which takes however long the client needs, and pass. */
async function passWait(ms: number): Promise<void> {
  await until(() => clock.pending > 0);
  await clock.advance(ms);
}

function startMetrics(): PrometheusExporter {
  const reader = new PrometheusExporter({
    preventServerStart: true,
    withoutScopeInfo: true,
    withoutTargetInfo: true,
    metricProducers: [retryMetricProducer()],
  });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  return reader;
}

it('an event whose broker is not ready twice is published by the third attempt', async () => {
  const spans = startTracing();
  const reader = startMetrics();
  mock.next.push({ code: LEADER_NOT_AVAILABLE }, { code: LEADER_NOT_AVAILABLE });
  const call = publishEvent(producer, event, { clock, budget: 'none' });
  await passWait(1200);
  await passWait(2400);
  const [written] = await call;

  expect(written).toMatchObject({ topicName: 'orders', errorCode: 0, baseOffset: '0' });
  expect(mock.written).toMatchObject([{ topic: 'orders', key: '42', value: '{"order":42}' }]);
  expect(clock.sleeps).toEqual([1200, 2400]);

  const spanIds = { trace_id: expect.stringMatching(/^[\da-f]{32}$/), span_id: expect.stringMatching(/^[\da-f]{16}$/) };
  expect(lines).toEqual([
    {
      level: 'warn',
      message: 'Retry attempt 1/3 failed for kafka_publish, waiting 1.20s',
      operation: 'kafka_publish',
      attempt: 1,
      max_attempts: 3,
      delay_seconds: 1.2,
      error: NOT_READY,
      ...spanIds,
    },
    {
      level: 'warn',
      message: 'Retry attempt 2/3 failed for kafka_publish, waiting 2.40s',
      operation: 'kafka_publish',
      attempt: 2,
      max_attempts: 3,
      delay_seconds: 2.4,
      error: NOT_READY,
      ...spanIds,
    },
    {
      level: 'info',
      message: 'Retry succeeded for kafka_publish',
      operation: 'kafka_publish',
      attempt: 3,
      max_attempts: 3,
      ...spanIds,
    },
  ]);

  const base = { 'retry.operation': 'kafka_publish', 'retry.max_attempts': 3 };
  const failed = {
    'error.type': 'KafkaJSNumberOfRetriesExceeded',
    'retry.error.class': 'transient',
    'retry.next': 'retry',
  };
  expect(seen(spans).map(({ name, parent, status, attributes }) => ({ name, parent, status, attributes }))).toEqual([
    {
      name: 'attempt kafka_publish',
      parent: 'retry kafka_publish',
      status: { code: SpanStatusCode.ERROR, message: NO_LEADER },
      attributes: {
        ...base,
        ...failed,
        'retry.attempt': 1,
        'retry.delay': 0,
        'retry.delay.source': 'none',
        'retry.next_delay': 1.2,
      },
    },
    {
      name: 'attempt kafka_publish',
      parent: 'retry kafka_publish',
      status: { code: SpanStatusCode.ERROR, message: NO_LEADER },
      attributes: {
        ...base,
        ...failed,
        'retry.attempt': 2,
        'retry.delay': 1.2,
        'retry.delay.source': 'backoff',
        'retry.next_delay': 2.4,
      },
    },
    {
      name: 'attempt kafka_publish',
      parent: 'retry kafka_publish',
      status: { code: SpanStatusCode.UNSET },
      attributes: { ...base, 'retry.attempt': 3, 'retry.delay': 2.4, 'retry.delay.source': 'backoff' },
    },
    {
      name: 'retry kafka_publish',
      parent: undefined,
      status: { code: SpanStatusCode.UNSET },
      attributes: {
        ...base,
        'retry.attempts': 3,
        'retry.outcome': 'success_after_retry',
        'retry.total_delay': expect.closeTo(3.6),
      },
    },
  ]);

  const { samples } = parseExposition(await scrape(reader));
  const of = 'operation="kafka_publish"';
  expect(samples).toMatchObject({
    [`retry_calls_total{${of},outcome="success_after_retry"}`]: 1,
    [`retry_calls_total{${of},outcome="success"}`]: 0,
    [`retry_calls_total{${of},outcome="attempts_exhausted"}`]: 0,
    [`retry_attempts_total{error_type="KafkaJSNumberOfRetriesExceeded",${of},result="failure"}`]: 2,
    [`retry_attempts_total{${of},result="success"}`]: 1,
    [`retry_retries_total{delay_source="backoff",${of}}`]: 2,
    [`retry_delay_seconds_count{${of}}`]: 2,
    [`retry_delay_seconds_sum{${of}}`]: expect.closeTo(3.6),
    [`retry_call_duration_seconds_sum{${of},result="success"}`]: expect.closeTo(3.6),
    [`retry_call_attempts_sum{${of},result="success"}`]: 3,
    [`retry_calls_in_flight{${of},phase="waiting"}`]: 0,
  });
});

it('an event whose broker stays away is given up after three attempts', async () => {
  const spans = startTracing();
  const reader = startMetrics();
  await mock.end();
  const call = outcomeOf(publishEvent(producer, event, { clock, budget: 'none' }));
  await passWait(1200);
  await passWait(2400);

  const refused = `connect ECONNREFUSED ${mock.brokers[0]}`;
  expect(await call).toEqual({ error: expect.objectContaining({ message: `Connection error: ${refused}` }) });
  expect(lines.map(({ level, message }) => [level, message])).toEqual([
    ['warn', 'Retry attempt 1/3 failed for kafka_publish, waiting 1.20s'],
    ['warn', 'Retry attempt 2/3 failed for kafka_publish, waiting 2.40s'],
    ['error', 'All retry attempts exhausted for kafka_publish'],
  ]);
  expect(lines.at(-1)).toMatchObject({
    operation: 'kafka_publish',
    attempts: 3,
    error: `KafkaJSNonRetriableError: Connection error: ${refused}`,
    reason: 'attempts_exhausted',
  });
  expect(seen(spans).at(-1)).toMatchObject({
    name: 'retry kafka_publish',
    status: { code: SpanStatusCode.ERROR },
    attributes: { 'retry.attempts': 3, 'retry.outcome': 'attempts_exhausted' },
  });
  const { samples } = parseExposition(await scrape(reader));
  expect(samples).toMatchObject({
    'retry_calls_total{operation="kafka_publish",outcome="attempts_exhausted"}': 1,
    'retry_retries_total{delay_source="backoff",operation="kafka_publish"}': 2,
  });
});
