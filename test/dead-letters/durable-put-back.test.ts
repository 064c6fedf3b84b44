import { faultCounts } from '../../src/core.ts';
import {
  aes256Gcm,
  DeadLetterQueue,
  type DeadLetterQueueOptions,
  defineOperation,
  isHandedOver,
  MemoryDeadLetterStore,
  type OperationContext,
  type OperationOptions,
  OperationRegistry,
  type QueueEvent,
  queueRegistry,
  redrive,
} from '../../src/recovery/dead-letters/index.ts';
import { DurableCalls } from '../../src/recovery/durable/durable-calls.ts';
import { failureOf, type JobResult } from '../../src/recovery/durable/job-result.ts';
import { MOST_TIMES, pauseMs } from '../../src/recovery/durable/put-back.ts';
import type { WaitEvent, WaitsOptions } from '../../src/recovery/durable/waits-options.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { settle } from '../support/settle.ts';
import { MemoryEngine } from './support/memory-engine.ts';
import { storeWith } from './support/store-with.ts';

type Order = { id: number; token?: string };

const MINUTE = 60_000;
const KEYS = { k: Buffer.alloc(32, 7) };

let clock: FakeClock;
let engine: MemoryEngine;
let store: MemoryDeadLetterStore;
let told: QueueEvent[];
let attempts: { number: number; key: string }[];
const listen = (event: QueueEvent): void => void told.push(event);
beforeEach(() => {
  clock = new FakeClock();
  engine = new MemoryEngine(clock);
  store = new MemoryDeadLetterStore({ clock });
  told = [];
  attempts = [];
  queueRegistry.listeners.add(listen);
});
afterEach(() => void queueRegistry.listeners.delete(listen));

const queueNamed = (name: string, own: Partial<DeadLetterQueueOptions> = {}) =>
  new DeadLetterQueue({ name, store, clock, lastResort: () => undefined, ...own });

/** A process that does not know any operation. */
function stranger(waits: Partial<WaitsOptions> = {}) {
  const registry = new OperationRegistry();
  const events: WaitEvent[] = [];
  const onEvent = (event: WaitEvent): void => void events.push(event);
  return { registry, events, calls: new DurableCalls(engine, { registry, clock, onEvent, ...waits }) };
}

/** A process that has the operation. */
function processWith(
  handler: (this: OperationContext, order: Order) => unknown,
  own: Partial<OperationOptions<[Order]>> = {},
  waits: Partial<WaitsOptions> = {},
) {
  const process = stranger(waits);
  const { registry, calls: durable } = process;
  const count = function (this: OperationContext, order: Order): unknown {
    attempts.push({ number: this.number, key: this.idempotencyKey });
    return handler.call(this, order);
  };
  const retries = { jitter: false, maxAttempts: 3, backoff: [10 * MINUTE, 1000], maxDelay: 60 * MINUTE } as const;
  return { ...process, op: defineOperation('charge', count, { clock, registry, durable, ...retries, ...own }) };
}

const fails = (): never => {
  throw Object.assign(new Error('down'), { code: 'ECONNRESET' });
};

/** A call that waits in the engine. */
async function handOver(
  own: Partial<OperationOptions<[Order]>> = {},
  waits: Partial<WaitsOptions> = {},
  order: Order = { id: 5 },
  source?: object,
): Promise<void> {
  const { op } = processWith(fails, own, waits);
  const call = source === undefined ? op : op.with({ source: source as never });
  const outcome = await settle(clock, call(order));
  if (!('error' in outcome) || !isHandedOver(outcome.error)) throw new Error('not handed over');
  attempts.length = 0;
}

/** The engine gives its one job to a worker, and forgets it once the worker has done with it. */
async function work(calls: DurableCalls, signal?: AbortSignal): Promise<JobResult> {
  const { id, data } = await engine.due();
  const outcome = await settle(clock, calls.run(data, id, signal));
  if ('error' in outcome) throw outcome.error;
  engine.jobs.delete(id);
  return outcome.value;
}

/** A worker puts the one job back until it does no more. */
async function wearOut(calls: DurableCalls): Promise<JobResult> {
  for (let times = 0; ; times++) {
    const result = await work(calls);
    if (result.outcome !== 'put_back') {
      expect(times).toBe(MOST_TIMES);
      return result;
    }
  }
}

const lettersIn = async () => (await store.list()).letters;
const notStored = (): readonly QueueEvent[] => told.filter(({ event }) => event === 'not_stored');
const faults = (): number => faultCounts().get('durable_wait') ?? 0;

describe('a job that meets a worker of another release', () => {
  it('goes on at the next worker that knows its operation, as if nothing had been', async () => {
    await handOver();
    const old = stranger();
    for (let times = 1; times <= 3; times++) {
      const result = await work(old.calls);
      const why = 'there is no operation of the name "charge"';
      const goesOnAt = clock.wallNow() + 5000 * 2 ** (times - 1);
      expect(result).toEqual({ outcome: 'put_back', operation: 'charge', why, goesOnAt });
      expect([...engine.jobs.values()].map(({ dueAt }) => dueAt)).toEqual([goesOnAt]);
      expect(old.events.at(-1)).toMatchObject({ event: 'put_back', queue: 'long-waits', operation: 'charge', why });
    }
    expect(await work(processWith(() => 'charged').calls)).toEqual({ outcome: 'success', operation: 'charge' });
    expect(attempts.map(({ number }) => number)).toEqual([2]);
    expect(old.calls.counts).toEqual({ handed_over: 0, kept_in_memory: 0, continued: 0, put_back: 3, refused: 0 });
    expect([engine.jobs.size, await lettersIn(), told]).toEqual([0, [], []]);
  });

  it('waits 5 seconds at first, then ever longer, up to 5 minutes, for a day in all', () => {
    const pauses = Array.from({ length: MOST_TIMES }, (_, i) => pauseMs(i + 1));
    expect(pauses.slice(0, 8)).toEqual([5000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
    const hours = pauses.reduce((sum, pause) => sum + pause, 0) / 3_600_000;
    expect(hours).toBeGreaterThan(24);
    expect(hours).toBeLessThan(25);
  });

  it('is put back once by a worker that dies right after it and is run again', async () => {
    await handOver();
    const { calls } = stranger();
    const { id, data } = await engine.due();
    for (let i = 0; i < 2; i++) await calls.run(data, id, undefined);
    expect(engine.jobs.size).toBe(2);
  });

  it('is counted anew after another long wait', async () => {
    await handOver();
    const old = stranger();
    await work(old.calls);
    await work(old.calls);
    expect((await engine.due()).data).toMatchObject({ putBack: 2 });
    expect(await work(processWith(fails, { backoff: [1, 10 * MINUTE] }).calls)).toMatchObject({
      outcome: 'handed_over',
    });
    expect((await engine.due()).data).not.toHaveProperty('putBack');
  });

  it('is given back as it is where it was written by a newer version of the library', async () => {
    await handOver();
    const { calls } = stranger();
    const { id, data } = await engine.due();
    engine.jobs.clear();
    const newer = { ...data, format: 2, putBack: 6, payload: 'of another kind' };
    expect(await calls.run(newer, id, undefined)).toEqual({
      outcome: 'put_back',
      operation: undefined,
      why: 'the job was written by a newer version',
      goesOnAt: clock.wallNow() + 5 * MINUTE,
    });
    expect((await engine.due()).data).toEqual({ ...newer, putBack: 7 });
    const last = await calls.run({ ...newer, putBack: MOST_TIMES }, id, undefined);
    expect(failureOf(last)).toBe('The job is refused: the job was written by a newer version');
    expect(notStored()).toEqual([
      { queue: 'long-waits', event: 'not_stored', letters: 1, why: 'the job was written by a newer version' },
    ]);
  });

  it('becomes a dead letter after a day, which can be redriven', async () => {
    const cipher = aes256Gcm({ keyId: 'k', keys: KEYS });
    await handOver({}, { cipher }, { id: 31_337 }, { topic: 'orders' });
    const { data } = await engine.due();
    const deadLetter = queueNamed('strays', { cipher });
    const result = await wearOut(stranger({ deadLetter }).calls);
    expect(result).toEqual({
      outcome: 'refused',
      why: 'there is no operation of the name "charge"',
      hasLetter: true,
    });
    expect(failureOf(result)).toBeUndefined();
    const [letter, ...others] = await lettersIn();
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      id: data.id,
      queue: 'strays',
      operation: 'charge',
      reason: 'deadline_exceeded',
      attempts: 1,
      error: { type: 'ECONNRESET', message: 'down' },
      idempotencyKey: data.idempotencyKey,
      history: data.history,
      firstFailedAt: data.firstFailedAt,
      lastFailedAt: data.lastFailedAt,
      diedAt: clock.wallNow(),
      source: { topic: 'orders' },
      payload: { kind: 'sealed' },
    });
    let got: unknown;
    const { registry } = processWith(order => {
      got = order;
    });
    await redrive(deadLetter, { registry });
    expect(got).toEqual({ id: 31_337 });
    expect(attempts).toEqual([{ number: 1, key: data.idempotencyKey }]);
  });

  it('goes to the queue of its operation where an older version of that is known', async () => {
    await handOver({ version: 2 });
    const deadLetter = queueNamed('payments');
    const { calls } = processWith(() => 'charged', { deadLetter }, { deadLetter: queueNamed('strays') });
    const result = await wearOut(calls);
    expect(result).toMatchObject({ outcome: 'refused', hasLetter: true });
    expect(attempts).toEqual([]);
    expect(await lettersIn()).toMatchObject([
      { queue: 'payments', payload: { kind: 'plain', json: '[{"id":5}]', version: 2 } },
    ]);
  });

  it.each<[string, () => Partial<WaitsOptions>]>([
    ['there is no queue', () => ({})],
    ['the queue does not keep such calls', () => ({ deadLetter: queueNamed('strays', { reasons: ['circuit_open'] }) })],
    ['a queue of somebody else rejects', () => ({ deadLetter: { keep: () => Promise.reject(new Error('no')) } })],
  ])('is counted and told of as a letter that was not stored after a day, where %s', async (_, waits) => {
    await handOver();
    const { id } = (await engine.due()).data;
    const { calls, events } = stranger(waits());
    const result = await wearOut(calls);
    const why = 'there is no operation of the name "charge"';
    expect(failureOf(result)).toBe(`The job is refused: ${why}`);
    expect(notStored()).toEqual([
      { queue: 'long-waits', event: 'not_stored', letters: 1, id, operation: 'charge', why },
    ]);
    expect(calls.counts.refused).toBe(1);
    expect(events.at(-1)).toMatchObject({ event: 'refused', operation: 'charge', why });
  });

  it('is told of once where the store of its queue fails', async () => {
    await handOver();
    const put = () => Promise.reject(Object.assign(new Error('no'), { code: 'EIO' }));
    const deadLetter = queueNamed('strays', { store: storeWith(store, { put }) });
    const result = await wearOut(stranger({ deadLetter }).calls);
    expect(result).toMatchObject({ outcome: 'refused', hasLetter: false });
    expect(notStored()).toMatchObject([{ queue: 'strays', storeError: 'EIO' }]);
    await deadLetter.close();
  });

  it('fails at once, and is counted as not stored, where it is not ours', async () => {
    const { calls } = stranger({ deadLetter: queueNamed('strays') });
    const result = await calls.run({ hello: 'world' }, 'j', undefined);
    expect(result).toEqual({ outcome: 'refused', why: 'the job is none of ours', hasLetter: false });
    expect(notStored()).toEqual([
      { queue: 'long-waits', event: 'not_stored', letters: 1, why: 'the job is none of ours' },
    ]);
    expect(await lettersIn()).toEqual([]);
  });

  it('leaves a letter at once where no worker can ever make the call', async () => {
    await handOver();
    const { calls } = processWith(() => 1, { version: 2, deadLetter: queueNamed('payments') });
    const why = 'the payload has version 1, the operation 2';
    expect(await work(calls)).toEqual({ outcome: 'refused', why, hasLetter: true });
    expect(await lettersIn()).toMatchObject([{ reason: 'not_retryable', payload: { json: '[{"id":5}]', version: 1 } }]);
  });
});

describe('a job whose worker is stopped', () => {
  const stopped = (controller: AbortController) => () => {
    controller.abort(new Error('shutting down'));
    return new Promise(() => undefined);
  };

  it('goes on at another one from the same attempt with the same key', async () => {
    await handOver();
    const shutdown = new AbortController();
    const { calls } = processWith(stopped(shutdown), { signal: shutdown.signal, deadLetter: queueNamed('payments') });
    const why = 'the worker was stopped in the middle of it';
    expect(await work(calls)).toMatchObject({ outcome: 'put_back', operation: 'charge', why });
    expect(await work(calls)).toMatchObject({ outcome: 'put_back', why });
    expect(await work(processWith(() => 'charged').calls)).toMatchObject({ outcome: 'success' });
    expect(attempts.map(({ number }) => number)).toEqual([2, 2]);
    expect(new Set(attempts.map(({ key }) => key)).size).toBe(1);
    expect(await lettersIn()).toEqual([]);
  });

  it('becomes a dead letter where that happens for a day', async () => {
    await handOver();
    const own = { signal: AbortSignal.abort(new Error('over')), deadLetter: queueNamed('payments') };
    expect(await wearOut(processWith(() => 1, own).calls)).toMatchObject({ outcome: 'refused', hasLetter: true });
    expect(await lettersIn()).toMatchObject([{ reason: 'deadline_exceeded', error: { type: 'ECONNRESET' } }]);
    expect(attempts).toEqual([]);
  });

  it('is left to its engine where that has taken it from the worker', async () => {
    await handOver();
    const controller = new AbortController();
    const before = faults();
    const result = await work(processWith(stopped(controller)).calls, controller.signal);
    expect(result).toEqual({ outcome: 'aborted', operation: 'charge' });
    expect([engine.jobs.size, faults() - before]).toEqual([0, 0]);
  });

  it('is left to its engine where it cannot be put back, and that is counted', async () => {
    await handOver();
    const { id, data } = await engine.due();
    const before = faults();
    const putBack = () => Promise.reject(new Error('lock lost'));
    const { calls } = stranger();
    const result = await calls.run(data, id, undefined, putBack);
    expect(result).toEqual({ outcome: 'aborted', operation: 'charge' });
    expect(faults() - before).toBe(1);
    expect(calls.counts).toMatchObject({ put_back: 0, refused: 0 });
  });

  it('is put back in the way of its engine, where that has one', async () => {
    await handOver();
    const { id, data } = await engine.due();
    const given: unknown[] = [];
    const putBack = async (...args: unknown[]): Promise<void> => void given.push(args);
    expect(await stranger().calls.run(data, id, undefined, putBack)).toMatchObject({ outcome: 'put_back' });
    expect(JSON.parse(JSON.stringify(given))).toEqual([[{ ...data, putBack: 1 }, 5000]]);
    expect(engine.jobs.size).toBe(1);
  });
});

describe('the letter of a call that was handed over', () => {
  it('is there once where its worker is killed between the letter and the end of the job', async () => {
    await handOver();
    const { id, data } = await engine.due();
    for (let i = 0; i < 2; i++) {
      const { calls } = processWith(fails, { maxAttempts: 2, deadLetter: queueNamed('payments') });
      expect(await settle(clock, calls.run(data, id, undefined))).toMatchObject({
        value: { outcome: 'given_up', hasLetter: true },
      });
    }
    expect((await lettersIn()).map(letter => letter.id)).toEqual([data.id]);
  });

  it('treats arguments that lie open in the job as its queue does', async () => {
    const waits = { redact: false } as const;
    const planted = 'tr0ub4dor-planted';
    const later = async (own: Partial<DeadLetterQueueOptions>, order: Order) => {
      await handOver({}, waits, order);
      await wearOut(stranger({ deadLetter: queueNamed('strays', own) }).calls);
      const [letter] = await lettersIn();
      expect(JSON.stringify(letter)).not.toContain(planted);
      await store.purge({});
      return letter?.payload;
    };
    const order = { id: 5, token: planted };
    expect(await later({}, order)).toMatchObject({ kind: 'plain', altered: ['redacted'] });
    const cipher = aes256Gcm({ keyId: 'k', keys: KEYS });
    expect(await later({ cipher, redact: false }, order)).toMatchObject({ kind: 'sealed', altered: [] });
    const large = { id: 5, text: 'x'.repeat(2000), token: planted };
    expect(await later({ maxPayloadBytes: 1024 }, large)).toMatchObject({ kind: 'omitted', why: 'too_large' });
  });

  it('does not take sealed arguments that are larger than its queue allows', async () => {
    const cipher = aes256Gcm({ keyId: 'k', keys: KEYS });
    await handOver({}, { cipher }, { id: 5, text: 'x'.repeat(2000) } as Order);
    await wearOut(stranger({ cipher, deadLetter: queueNamed('strays', { maxPayloadBytes: 1024 }) }).calls);
    expect(await lettersIn()).toMatchObject([{ payload: { kind: 'omitted', why: 'too_large' } }]);
  });

  it('says still what had been altered when the call was handed over', async () => {
    const restore = () => [{ id: 7 }] as [Order];
    await handOver({ restore }, {}, { id: 5, token: 'abc' });
    await wearOut(stranger({ deadLetter: queueNamed('strays') }).calls);
    expect(await lettersIn()).toMatchObject([{ payload: { kind: 'plain', altered: ['redacted'] } }]);
  });
});

describe('the source of a call that is handed over', () => {
  const planted = 'tr0ub4dor-planted';

  it.each<[string, object, object]>([
    [
      'fields of its own',
      { topic: 'orders', partition: 1, offset: '1', password: planted, message: { value: planted } },
      { topic: 'orders', partition: 1, offset: '1' },
    ],
    ['five megabytes', { topic: 'orders', blob: 'x'.repeat(5_000_000) }, { topic: 'orders' }],
    [
      'a BigInt for its offset',
      { topic: 'orders', offset: 2n ** 63n },
      { topic: 'orders', offset: '9223372036854775808' },
    ],
    ['an empty offset', { topic: 'orders', offset: '' }, { topic: 'orders', offset: '' }],
    ['a long topic', { topic: 'x'.repeat(300) }, { topic: 'x'.repeat(249) }],
  ])('comes into the queue with what is known of it alone: %s', async (_, source, kept) => {
    await handOver({}, {}, { id: 5 }, source);
    const [job] = engine.jobs.values();
    expect(job?.text).not.toContain(planted);
    expect(job?.text.length).toBeLessThan(2000);
    expect((await engine.due()).data.source).toEqual(kept);
  });
});
