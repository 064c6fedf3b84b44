import { type LoggingOptions, type LogRecord, logTo } from '../../instrumentation/loggers/index.ts';
import { faultCounts } from '../../src/core.ts';
import { defineOperation, OperationRegistry } from '../../src/recovery/dead-letters/index.ts';
import { DurableCalls } from '../../src/recovery/durable/durable-calls.ts';
import { waitRegistry } from '../../src/recovery/durable/wait-registry.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { MemoryEngine } from '../dead-letters/support/memory-engine.ts';
import { settle } from '../support/settle.ts';

let clock: FakeClock;
let engine: MemoryEngine;
let records: LogRecord[];
let stop: () => void = () => undefined;
beforeEach(() => {
  clock = new FakeClock();
  engine = new MemoryEngine(clock);
  records = [];
});
afterEach(() => {
  stop();
  waitRegistry.listeners.clear();
});

const log = (options?: LoggingOptions): void => {
  stop = logTo(record => records.push(record), options);
};

function processWith(operation: string, handler: () => unknown) {
  const registry = new OperationRegistry();
  const durable = new DurableCalls(engine, { registry, clock });
  const op = defineOperation(operation, handler, { clock, registry, durable, jitter: false, initialDelay: 50_000 });
  return { op, durable };
}

const fail = () => Promise.reject(new Error('down'));
const ofWaits = () => records.filter(({ message }) => / long wait|Long wait/.test(message));

it('writes a line for each thing that happens to a call', async () => {
  log();
  const { op, durable } = processWith('charge_card', fail);
  await settle(clock, op());
  const { id, data } = await engine.due();
  await new DurableCalls(engine, { registry: new OperationRegistry(), clock }).run(data, id, undefined);
  await processWith('charge_card', () => 1).durable.run(data, id, undefined);
  await durable.run({ hello: 'world' }, 'j', undefined);
  engine.before = () => {
    throw Object.assign(new Error('no connection'), { code: 'ECONNREFUSED' });
  };
  await settle(clock, op());
  const common = { queue: 'long-waits', operation: 'charge_card' };
  const unknown = 'there is no operation of the name "charge_card"';
  const away = 'the engine did not take it: ECONNREFUSED';
  const kept = {
    level: 'warn',
    message: 'Long wait kept in memory for charge_card',
    fields: { ...common, reason: away },
  };
  expect(ofWaits()).toEqual([
    { level: 'info', message: 'Long wait handed over for charge_card', fields: { ...common, job_id: id } },
    {
      level: 'warn',
      message: 'Job put back after a long wait for charge_card',
      fields: { ...common, job_id: id, reason: unknown },
    },
    { level: 'info', message: 'Call goes on after a long wait for charge_card', fields: { ...common, job_id: id } },
    {
      level: 'error',
      message: 'Job refused after a long wait for long-waits',
      fields: { queue: 'long-waits', job_id: 'j', reason: 'the job is none of ours' },
    },
    kept,
    kept,
  ]);
  expect(records).toContainEqual({
    level: 'error',
    message: 'Dead letter not stored for long-waits: the store failed',
    fields: { queue: 'long-waits', letters: 1, reason: 'the job is none of ours' },
  });
});

it('writes them at other levels, or not at all', async () => {
  log({ levels: { wait_handed_over: 'off', wait_refused: 'warn' } });
  const { op, durable } = processWith('charge_card', fail);
  await settle(clock, op());
  await durable.run(undefined, 'j', undefined);
  expect(ofWaits().map(({ level }) => level)).toEqual(['warn']);
});

it('writes no line break that a name or an identifier brings', async () => {
  log();
  const { durable } = processWith('charge\ncard', fail);
  await durable.run(undefined, 'j\n{"level":"error"}', undefined);
  await settle(clock, processWith('refund\ncard', fail).op());
  const texts = ofWaits().flatMap(({ message, fields }) => [message, ...Object.values(fields).map(String)]);
  expect(texts.filter(text => text.includes('\n'))).toEqual([]);
  expect(ofWaits()).toHaveLength(2);
});

it('ends with what logTo gives, and does without a listener that throws', async () => {
  log();
  stop();
  const before = faultCounts().get('observer') ?? 0;
  waitRegistry.listeners.add(() => {
    throw new Error('no');
  });
  const { op } = processWith('charge_card', fail);
  await settle(clock, op());
  expect(records).toEqual([]);
  expect(engine.jobs.size).toBe(1);
  expect((faultCounts().get('observer') ?? 0) - before).toBe(1);
});
