import * as promClient from 'prom-client';
import { openTelemetryObserver } from '../../instrumentation/opentelemetry/index.ts';
import { registerRetryMetrics } from '../../instrumentation/prometheus/index.ts';
import { store as metricStore } from '../../instrumentation/store/store.ts';
import { retry } from '../../src/core.ts';
import { runtime } from '../../src/engine/runtime.ts';
import {
  DeadLetterQueue,
  defineOperation,
  MemoryDeadLetterStore,
  OperationRegistry,
  queueRegistry,
} from '../../src/recovery/dead-letters/index.ts';
import { MAX_QUEUES } from '../../src/recovery/dead-letters/queue-registry.ts';
import { DurableCalls } from '../../src/recovery/durable/durable-calls.ts';
import { waitRegistry } from '../../src/recovery/durable/wait-registry.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { MemoryEngine } from '../dead-letters/support/memory-engine.ts';
import { startMetrics } from '../servers/story.ts';
import { stopTelemetry } from '../spans/sdk.ts';
import { parseExposition, scrape as scrapeReader } from '../support/exposition.ts';
import { settle } from '../support/settle.ts';

let clock: FakeClock;
let engine: MemoryEngine;
let scrape: () => Promise<Record<string, number>>;

beforeEach(() => {
  waitRegistry.waits.clear();
  queueRegistry.queues.clear();
  queueRegistry.overflow = 0;
  metricStore.readers.clear();
  runtime.observers.length = 0;
  runtime.observer = undefined;
  clock = new FakeClock();
  engine = new MemoryEngine(clock);
  const prometheus = new promClient.Registry();
  registerRetryMetrics(prometheus as never);
  scrape = async () => parseExposition(await prometheus.metrics()).samples;
});
afterEach(stopTelemetry);

const series = (event: string): string => `retry_durable_waits_total{event="${event}",queue="long-waits"}`;
const lost = (queue: string): string => `retry_dead_letters_total{event="not_stored",queue="${queue}"}`;
const EVENTS = ['handed_over', 'kept_in_memory', 'continued', 'put_back', 'refused'];

/** Every event once, but for two jobs that are refused. */
async function live(): Promise<void> {
  const registry = new OperationRegistry();
  const durable = new DurableCalls(engine, { registry, clock });
  const fail = () => Promise.reject(new Error('down'));
  const op = defineOperation('charge', fail, { clock, registry, durable, jitter: false, backoff: [50_000, 50_000] });
  await settle(clock, op());
  const { id, data } = await engine.due();
  await new DurableCalls(engine, { registry: new OperationRegistry(), clock }).run(data, id, undefined);
  engine.before = () => {
    throw new Error('no connection');
  };
  await settle(clock, durable.run(data, id, undefined));
  for (let i = 0; i < 2; i++) await durable.run({ hello: 'world' }, 'j', undefined);
}

it('shows every event of a queue at 0 from the moment at which it is made', async () => {
  new DurableCalls(engine, { clock });
  const samples = await scrape();
  const shown = Object.entries(samples).filter(([name]) => name.startsWith('retry_durable_waits_total'));
  expect(shown).toEqual(EVENTS.map(event => [series(event), 0]));
  expect(samples[lost('long-waits')]).toBe(0);
});

it('counts what happens to calls, and those that are lost as letters that were not stored', async () => {
  await live();
  expect(await scrape()).toMatchObject({
    [series('handed_over')]: 1,
    [series('kept_in_memory')]: 1,
    [series('continued')]: 1,
    [series('put_back')]: 1,
    [series('refused')]: 2,
    [lost('long-waits')]: 2,
  });
});

it('shows the same through OpenTelemetry', async () => {
  const reader = startMetrics();
  await live();
  await retry(() => 1, { observer: openTelemetryObserver() });
  const ours = (samples: Record<string, number>) =>
    Object.entries(samples)
      .filter(([name]) => name.includes('queue="long-waits"'))
      .sort();
  const shown = ours(parseExposition(await scrapeReader(reader)).samples);
  expect(shown).toHaveLength(EVENTS.length + 1);
  expect(shown).toEqual(ours(await scrape()));
});

it('adds to a queue of dead letters of the same name', async () => {
  new DeadLetterQueue({ name: 'long-waits', store: new MemoryDeadLetterStore({ clock }), clock });
  await live();
  const samples = await scrape();
  expect(samples[lost('long-waits')]).toBe(2);
  expect(samples['retry_dead_letters_total{event="stored",queue="long-waits"}']).toBe(0);
});

it('counts queues beyond 200 that are not shown', async () => {
  const engineOf = (queue: string) => ({ queue, add: async () => undefined, remove: async () => undefined });
  for (let i = 0; i < MAX_QUEUES + 3; i++) new DurableCalls(engineOf(`queue ${i}`), { clock });
  const samples = await scrape();
  expect(samples['retry_overflow_total{source="queue"}']).toBe(3);
  expect(Object.keys(samples).filter(name => name.includes('event="handed_over"'))).toHaveLength(MAX_QUEUES);
});
