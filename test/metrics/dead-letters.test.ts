import { metrics } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import * as promClient from 'prom-client';
import { openTelemetryObserver } from '../../instrumentation/opentelemetry/index.ts';
import { registerRetryMetrics } from '../../instrumentation/prometheus/index.ts';
import { OLD_AFTER_MS, REFRESH_AFTER_MS, STALE_AFTER_MS } from '../../instrumentation/store/queue-levels.ts';
import { store as metricStore } from '../../instrumentation/store/store.ts';
import { faultCounts, retry } from '../../src/core.ts';
import { runtime } from '../../src/engine/runtime.ts';
import {
  DeadLetterQueue,
  type DeadLetterStore,
  defineOperation,
  MemoryDeadLetterStore,
  OperationRegistry,
  queueRegistry,
  redrive,
  type StoreStats,
} from '../../src/recovery/dead-letters/index.ts';
import { MAX_QUEUES } from '../../src/recovery/dead-letters/queue-registry.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { storeWith } from '../dead-letters/support/store-with.ts';
import { startMetrics } from '../servers/story.ts';
import { stopTelemetry } from '../spans/sdk.ts';
import { parseExposition, scrape as scrapeReader } from '../support/exposition.ts';
import { settle } from '../support/settle.ts';

const DEPTH = 'retry_dead_letter_depth{queue="payments"}';
const ASIDE = 'retry_dead_letter_quarantined{queue="payments"}';
const AGE = 'retry_dead_letter_oldest_age_seconds{queue="payments"}';

let clock: FakeClock;
let memory: MemoryDeadLetterStore;
let registry: OperationRegistry;
let scrape: () => Promise<Record<string, number>>;

beforeEach(() => {
  queueRegistry.queues.clear();
  queueRegistry.overflow = 0;
  metricStore.readers.clear();
  runtime.observers.length = 0;
  runtime.observer = undefined;
  clock = new FakeClock();
  memory = new MemoryDeadLetterStore({ clock });
  registry = new OperationRegistry();
  const prometheus = new promClient.Registry();
  registerRetryMetrics(prometheus as never);
  scrape = async () => parseExposition(await prometheus.metrics()).samples;
});
afterEach(stopTelemetry);

const queueOn = (store: DeadLetterStore = memory, name = 'payments') =>
  new DeadLetterQueue({ name, store, clock, lastResort: () => undefined });

/** Leaves a letter, a second after the last. */
async function leave(queue: DeadLetterQueue, operation = `charge ${registry.names().length}`): Promise<void> {
  const charge = defineOperation(operation, () => Promise.reject(new Error('no')), {
    clock,
    registry,
    maxAttempts: 1,
    deadLetter: queue,
  });
  await settle(
    clock,
    charge().catch(() => undefined),
  );
  await clock.advance(1000);
}

/** What a scrape shows once the store has answered the one before it. */
async function shown(): Promise<Record<string, number>> {
  await scrape();
  await new Promise(setImmediate);
  return scrape();
}

const faults = (): number => faultCounts().get('dead_letter') ?? 0;

it('shows every event of a queue at 0 from the moment at which it is made', async () => {
  queueOn();
  const events = Object.entries(await scrape()).filter(([series]) => series.startsWith('retry_dead_letters_total'));
  expect(events).toEqual(
    ['stored', 'not_stored', 'redriven', 'failed', 'evicted', 'quarantined', 'purged'].map(event => [
      `retry_dead_letters_total{event="${event}",queue="payments"}`,
      0,
    ]),
  );
});

it('shows how many letters wait, and the age of the oldest', async () => {
  const queue = queueOn();
  expect(await shown()).toMatchObject({ [DEPTH]: 0, [ASIDE]: 0, [AGE]: 0 });
  await leave(queue);
  await leave(queue);
  await clock.advance(REFRESH_AFTER_MS);
  expect(await shown()).toMatchObject({
    [DEPTH]: 2,
    [AGE]: 2 + REFRESH_AFTER_MS / 1000,
    'retry_dead_letters_total{event="stored",queue="payments"}': 2,
  });
  await memory.claim(1, {}, 'somebody', 60_000);
  await clock.advance(REFRESH_AFTER_MS);
  expect(await shown()).toMatchObject({ [DEPTH]: 2 });
  await redrive(queue, { registry: answering(registry) });
  await clock.advance(REFRESH_AFTER_MS);
  expect(await shown()).toMatchObject({
    [DEPTH]: 1,
    'retry_dead_letters_total{event="redriven",queue="payments"}': 1,
  });
});

it('counts apart what is put aside, and leaves out what is redriven', async () => {
  const queue = queueOn();
  await leave(queue);
  await redrive(queue, { registry, quarantineAfter: 1 });
  expect(await shown()).toMatchObject({
    [DEPTH]: 0,
    [ASIDE]: 1,
    [AGE]: 0,
    'retry_dead_letters_total{event="failed",queue="payments"}': 1,
    'retry_dead_letters_total{event="quarantined",queue="payments"}': 1,
  });
});

it('asks the store only while somebody collects, and at most every ten seconds', async () => {
  let asked = 0;
  queueOn(counting(() => asked++));
  await clock.advance(60_000);
  expect(asked).toBe(0);
  for (let i = 0; i < 5; i++) await shown();
  expect(asked).toBe(1);
  await clock.advance(REFRESH_AFTER_MS - 1);
  await shown();
  expect(asked).toBe(1);
  await clock.advance(1);
  await shown();
  expect(asked).toBe(2);
});

it('shows to one who collects every four minutes what the store told at the collection before', async () => {
  const queue = queueOn();
  await scrape();
  await leave(queue);
  await clock.advance(4 * 60_000);
  expect(await scrape()).toMatchObject({ [DEPTH]: 0 });
  await clock.advance(4 * 60_000);
  expect(await scrape()).toMatchObject({ [DEPTH]: 1 });
  await clock.advance(OLD_AFTER_MS);
  expect(await scrape()).not.toMatchObject({ [DEPTH]: expect.anything() });
});

it('does not wait for a store that hangs, drops what is old, and recovers', async () => {
  let answer: 'at once' | 'never' = 'at once';
  let asked = 0;
  const hang = new Promise<never>(() => undefined);
  const queue = queueOn(
    storeWith(memory, {
      stats: () => {
        asked++;
        return answer === 'never' ? hang : memory.stats();
      },
    }),
  );
  await leave(queue);
  expect(await shown()).toMatchObject({ [DEPTH]: 1 });
  answer = 'never';
  await clock.advance(REFRESH_AFTER_MS);
  expect(await shown()).toMatchObject({ [DEPTH]: 1 });
  await clock.advance(STALE_AFTER_MS - REFRESH_AFTER_MS - 1);
  expect(await shown()).toMatchObject({ [DEPTH]: 1 });
  await clock.advance(1);
  expect(await shown()).not.toMatchObject({ [DEPTH]: expect.anything() });
  expect(asked).toBe(2);
  const before = faults();
  await clock.advance(STALE_AFTER_MS);
  answer = 'at once';
  expect(await shown()).toMatchObject({ [DEPTH]: 1 });
  expect([asked, faults()]).toEqual([3, before + 1]);
});

it.each<[string, () => Promise<StoreStats>]>([
  ['rejects', () => Promise.reject(new Error('gone'))],
  [
    'throws',
    () => {
      throw new Error('gone');
    },
  ],
  ['answers rubbish', () => Promise.resolve(undefined as never)],
])('does without a store that %s, and counts it', async (_, stats) => {
  queueOn(storeWith(memory, { stats }));
  const before = faults();
  const samples = await shown();
  expect(Object.keys(samples)).not.toContain(DEPTH);
  expect(Object.keys(samples)).not.toContain(ASIDE);
  expect(Object.keys(samples)).not.toContain(AGE);
  expect(samples['retry_telemetry_errors_total{source="dead_letter"}']).toBe(before + 1);
});

it('takes queues of the same name for the same queue', async () => {
  const [one, another] = [queueOn(), queueOn()];
  await leave(one);
  await leave(another);
  expect(await shown()).toMatchObject({
    [DEPTH]: 2,
    'retry_dead_letters_total{event="stored",queue="payments"}': 2,
  });
});

it('cuts the names of queues and takes control characters out of them', async () => {
  queueOn(memory, `a\u0000b${'x'.repeat(100)}`);
  expect(await shown()).toMatchObject({ [`retry_dead_letter_depth{queue="a b${'x'.repeat(61)}"}`]: 0 });
});

it('counts queues beyond 200 that are not shown', async () => {
  for (let i = 0; i < MAX_QUEUES + 3; i++) queueOn(memory, `queue ${i}`);
  const samples = await scrape();
  expect(samples['retry_overflow_total{source="queue"}']).toBe(3);
  expect(Object.keys(samples).filter(series => series.includes('event="stored"'))).toHaveLength(MAX_QUEUES);
});

it.each<[string, () => PrometheusExporter, number | undefined]>([
  ['a producer', startMetrics, undefined],
  // The SDK forgets no series.
  [
    'instruments',
    () => {
      const reader = new PrometheusExporter({
        preventServerStart: true,
        withoutScopeInfo: true,
        withoutTargetInfo: true,
      });
      metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
      return reader;
    },
    Number.NaN,
  ],
])('stops showing an old number through %s of OpenTelemetry too', async (_, start, after) => {
  let isThere = true;
  const queue = queueOn(
    storeWith(memory, { stats: () => (isThere ? memory.stats() : Promise.reject(new Error('gone'))) }),
  );
  await leave(queue);
  const reader = start();
  await retry(() => 1, { observer: openTelemetryObserver() });
  const collect = async () => {
    await scrapeReader(reader);
    await new Promise(setImmediate);
    return parseExposition(await scrapeReader(reader)).samples;
  };
  expect(await collect()).toMatchObject({ [DEPTH]: 1 });
  isThere = false;
  await clock.advance(STALE_AFTER_MS);
  const samples = await collect();
  expect([samples[DEPTH], samples[AGE]]).toEqual([after, after]);
  isThere = true;
  await clock.advance(REFRESH_AFTER_MS);
  expect(await collect()).toMatchObject({ [DEPTH]: 1 });
});

function counting(onAsked: () => void): DeadLetterStore {
  return storeWith(memory, {
    stats: () => {
      onAsked();
      return memory.stats();
    },
  });
}

/** Handlers of the same names that succeed. */
function answering(known: OperationRegistry): OperationRegistry {
  const answering = new OperationRegistry();
  for (const name of known.names()) defineOperation(name, () => 'done', { clock, registry: answering });
  return answering;
}
