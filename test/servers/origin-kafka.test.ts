import { SpanStatusCode } from '@opentelemetry/api';
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { store } from '../../instrumentation/store/store.ts';
import '../../src/index.ts';
import { NO_CLIENT_RETRIES, publishEvent } from '../../src/services/kafka/index.ts';
import { sharedBudget } from '../../src/services/service-policy.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { until } from '../redis/support/until.ts';
import { seen, startTracing, stopTelemetry } from '../spans/sdk.ts';
import { parseExposition, scrape } from '../support/exposition.ts';
import { outcomeOf } from '../support/settle.ts';
import { type KafkaWireMock, startKafkaWireMock } from './kafka-wire-mock.ts';
import { recordLines, startMetrics, tracesOf } from './story.ts';

// The story of the event that is published while the broker recovers:
//
//   Attempt 1: KafkaError (broker not ready)
//   Wait 1.2s (with jitter)...
//   Attempt 2: KafkaError (still recovering)
//   Wait 2.4s (with jitter)...
//   Attempt 3: Success (event published)

// A real client on real time, on machines that may be busy.
jest.setTimeout(60_000);

const LEADER_NOT_AVAILABLE = 5;
const NO_LEADER = 'There is no leader for this topic-partition as we are in the middle of a leadership election';
const event = { topic: 'orders', key: '42', value: '{"order":42}' };

// All publishes of the process spend from it, so each story begins with what the one before has left.
const budget = sharedBudget('kafka');

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
  ({ lines, stop: stopLogging } = recordLines());
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

it('an event whose broker is not ready twice is published by the third attempt', async () => {
  const spans = startTracing();
  const reader = startMetrics();
  mock.next.push({ code: LEADER_NOT_AVAILABLE }, { code: LEADER_NOT_AVAILABLE });
  const before = budget.state;
  const call = publishEvent(producer, event, { clock });
  await passWait(1200);
  await passWait(2400);
  const [written] = await call;

  expect(written).toMatchObject({ topicName: 'orders', errorCode: 0, baseOffset: '0' });
  expect(mock.written).toMatchObject([{ topic: 'orders', key: '42', value: '{"order":42}' }]);
  expect(clock.sleeps).toEqual([1200, 2400]);

  const left = tracesOf({
    operation: 'kafka_publish',
    errorType: 'LEADER_NOT_AVAILABLE',
    message: NO_LEADER,
    delays: [1.2, 2.4],
  });
  expect(lines).toEqual(left.lines);
  // Two retries are taken, and the success pays for a tenth of one.
  const tokens = expect.closeTo(before.balance - 2 + 0.1);
  expect(seen(spans).map(({ name, parent, status, attributes }) => ({ name, parent, status, attributes }))).toEqual([
    ...left.spans.slice(0, -1),
    withTokens(left.spans.at(-1), tokens),
  ]);
  const { samples } = parseExposition(await scrape(reader));
  expect(samples).toMatchObject({ ...left.samples, ...budgetSamples(tokens, before) });
});

it('an event whose broker stays away is given up after three attempts', async () => {
  const spans = startTracing();
  const reader = startMetrics();
  await mock.end();
  const before = budget.state;
  const call = outcomeOf(publishEvent(producer, event, { clock }));
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
    error: `ECONNREFUSED: Connection error: ${refused}`,
    reason: 'attempts_exhausted',
  });
  const tokens = expect.closeTo(before.balance - 2);
  expect(seen(spans).at(-1)).toMatchObject({
    name: 'retry kafka_publish',
    status: { code: SpanStatusCode.ERROR },
    attributes: { 'retry.attempts': 3, 'retry.outcome': 'attempts_exhausted', 'retry.budget.tokens': tokens },
  });
  const { samples } = parseExposition(await scrape(reader));
  expect(samples).toMatchObject({
    'retry_calls_total{operation="kafka_publish",outcome="attempts_exhausted"}': 1,
    'retry_retries_total{delay_source="backoff",operation="kafka_publish"}': 2,
    ...budgetSamples(tokens, before),
  });
});

/** A call span as expected, with what was left in the budget at its end. */
function withTokens(span: object | undefined, tokens: unknown): object {
  const { attributes, ...rest } = span as { attributes: object };
  return { ...rest, attributes: { ...attributes, 'retry.budget.tokens': tokens } };
}

/** The metrics of the budget after a call with two retries. */
function budgetSamples(tokens: unknown, before: typeof budget.state): object {
  return {
    'retry_budget_tokens{budget="kafka"}': tokens,
    'retry_budget_capacity{budget="kafka"}': 10,
    'retry_budget_withdrawals_total{budget="kafka",decision="granted"}': before.granted + 2,
    'retry_budget_withdrawals_total{budget="kafka",decision="denied"}': 0,
  };
}
