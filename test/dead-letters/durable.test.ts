import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { RetryBudget, type RetryObserver, retry } from '../../src/core.ts';
import { faultCounts } from '../../src/engine/faults.ts';
import { retrySummary } from '../../src/engine/summary.ts';
import {
  aes256Gcm,
  DeadLetterQueue,
  defineOperation,
  type HandedOverError,
  isHandedOver,
  MemoryDeadLetterStore,
  type OperationContext,
  type OperationOptions,
  OperationRegistry,
  setLetterTracing,
} from '../../src/recovery/dead-letters/index.ts';
import { DurableCalls } from '../../src/recovery/durable/durable-calls.ts';
import { failureOf, type JobResult } from '../../src/recovery/durable/job-result.ts';
import { readJob } from '../../src/recovery/durable/read-job.ts';
import type { WaitEvent, WaitsOptions } from '../../src/recovery/durable/waits-options.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { outcomeOf, settle } from '../support/settle.ts';
import { MemoryEngine } from './support/memory-engine.ts';

const MINUTE = 60_000;

let clock: FakeClock;
let engine: MemoryEngine;
let store: MemoryDeadLetterStore;
let seen: Pick<
  OperationContext,
  'number' | 'maxAttempts' | 'delayMs' | 'redrive' | 'idempotencyKey' | 'previousError'
>[];
beforeEach(() => {
  clock = new FakeClock();
  engine = new MemoryEngine(clock);
  store = new MemoryDeadLetterStore({ clock });
  seen = [];
});
afterEach(() => setLetterTracing(undefined));

/** One process: it has the operation, and can be the caller or the worker. */
function processWith(
  handler: (this: OperationContext, order: { id: number; token?: string }) => unknown,
  own: Partial<OperationOptions<[{ id: number; token?: string }]>> = {},
  waits: Partial<WaitsOptions> = {},
) {
  const registry = new OperationRegistry();
  const events: WaitEvent[] = [];
  const calls = new DurableCalls(engine, { registry, clock, onEvent: event => void events.push(event), ...waits });
  const deadLetter = new DeadLetterQueue({ name: 'payments', store, clock, lastResort: () => undefined });
  const op = defineOperation(
    'charge',
    function (this: OperationContext, order: { id: number; token?: string }) {
      const { number, maxAttempts, delayMs, redrive, idempotencyKey, previousError } = this;
      seen.push({ number, maxAttempts, delayMs, redrive, idempotencyKey, previousError });
      return handler.call(this, order);
    },
    {
      clock,
      registry,
      jitter: false,
      maxAttempts: 5,
      backoff: [1000, 10 * MINUTE, 2000, 20 * MINUTE],
      maxDelay: 60 * MINUTE,
      maxInProcessDelay: MINUTE,
      durable: calls,
      deadLetter,
      ...own,
    } as OperationOptions<[{ id: number; token?: string }]>,
  );
  return { op, calls, events, registry };
}

const down = (): Error => Object.assign(new Error('down, password=hunter22'), { code: 'ECONNRESET' });
const fails = (): never => {
  throw down();
};
const handedOver = async (call: Promise<unknown>): Promise<HandedOverError> => {
  const outcome = await settle(clock, call);
  if (!('error' in outcome) || !isHandedOver(outcome.error)) throw new Error(`not handed over: ${String(outcome)}`);
  return outcome.error;
};
/** The engine gives its one job to a worker. */
const work = async (calls: DurableCalls, signal?: AbortSignal): Promise<JobResult> => {
  const { id, data } = await engine.due();
  const running = outcomeOf(calls.run(data, id, signal));
  await clock.runAll();
  engine.jobs.delete(id);
  const outcome = await running;
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
};
const faults = (): number => faultCounts().get('durable_wait') ?? 0;

describe('a wait that is longer than maxInProcessDelay', () => {
  it('ends the call for its caller, who learns when it goes on and what has failed', async () => {
    const error = down();
    const { op, events, calls } = processWith(() => Promise.reject(error));
    const startedAt = clock.wallNow();
    const taken = await handedOver(op.with({ idempotencyKey: 'k-1' })({ id: 5 }));
    expect(seen.map(({ number }) => number)).toEqual([1, 2]);
    expect(taken).toMatchObject({
      name: 'HandedOverError',
      code: 'ERR_RETRY_HANDED_OVER',
      retryable: false,
      operation: 'charge',
      queue: 'long-waits',
      goesOnAt: startedAt + 1000 + 10 * MINUTE,
      attempts: 2,
      idempotencyKey: 'k-1',
    });
    expect(taken.cause).toBe(error);
    expect(taken.message).toBe('charge goes on at 2024-01-01T00:10:01.000Z: it was handed over after attempt 2');
    expect(retrySummary(taken)).toMatchObject({ attempts: 2, reason: 'aborted' });
    expect([...engine.jobs.keys()]).toEqual([taken.jobId]);
    expect(events).toEqual([{ event: 'handed_over', queue: 'long-waits', operation: 'charge', jobId: taken.jobId }]);
    expect(calls.counts).toEqual({ handed_over: 1, kept_in_memory: 0, continued: 0, put_back: 0, refused: 0 });
    expect((await store.list()).letters).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('goes on in another process with the attempts counted on', async () => {
    const caller = processWith(fails);
    await handedOver(caller.op.with({ idempotencyKey: 'k-1' })({ id: 5 }));
    seen.length = 0;
    let orders = 0;
    const worker = processWith(order => {
      orders += order.id;
      return 'charged';
    });
    expect(await work(worker.calls)).toEqual({ outcome: 'success', operation: 'charge' });
    expect(orders).toBe(5);
    expect(seen).toEqual([
      {
        number: 3,
        maxAttempts: 5,
        delayMs: 10 * MINUTE,
        redrive: 0,
        idempotencyKey: 'k-1',
        previousError: expect.objectContaining({ code: 'ECONNRESET', message: 'down, password=[redacted]' }),
      },
    ]);
    expect(worker.events).toEqual([
      { event: 'continued', queue: 'long-waits', operation: 'charge', jobId: expect.any(String) },
    ]);
  });

  it('may come more than once; short waits between them are in memory', async () => {
    const caller = processWith(fails);
    const taken = await handedOver(caller.op({ id: 5 }));
    const first = processWith(fails);
    const result = await work(first.calls);
    expect(result).toMatchObject({ outcome: 'handed_over', goesOnAt: clock.wallNow() + 20 * MINUTE });
    expect(result).not.toMatchObject({ jobId: taken.jobId });
    expect(clock.sleeps).toEqual([1000, 2000]);
    const second = processWith(() => 'charged');
    expect(await work(second.calls)).toMatchObject({ outcome: 'success' });
    expect(seen.map(({ number, delayMs }) => [number, delayMs])).toEqual([
      [1, 0],
      [2, 1000],
      [3, 10 * MINUTE],
      [4, 2000],
      [5, 20 * MINUTE],
    ]);
    expect(new Set(seen.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  });

  it('is what a decorrelated jitter goes on from', async () => {
    const own = {
      jitter: 'decorrelated',
      backoff: 'exponential',
      initialDelay: 1000,
      maxInProcessDelay: 3000,
    } as const;
    const caller = processWith(fails, own);
    const worker = processWith(fails, own);
    const startedAt = clock.wallNow();
    // Halfway from 1 s to three times the delay before: 2 s, and then 3.5 s, 5.75 s and 9.125 s.
    const first = await handedOver(caller.op({ id: 5 }));
    expect(first.goesOnAt - startedAt).toBe(2000 + 3500);
    const second = await work(worker.calls);
    expect(second).toMatchObject({ outcome: 'handed_over', goesOnAt: first.goesOnAt + 5750 });
    const third = await work(worker.calls);
    expect(third).toMatchObject({ outcome: 'handed_over', goesOnAt: first.goesOnAt + 5750 + 9125 });
    expect(seen.map(({ delayMs }) => delayMs)).toEqual([0, 2000, 3500, 5750]);
  });

  it('is what a server asked for by Retry-After', async () => {
    const busy = Object.assign(new Error('busy'), { status: 429, headers: { 'retry-after': '600' } });
    const { op } = processWith(() => Promise.reject(busy), { backoff: 'constant', initialDelay: 10 });
    const taken = await handedOver(op({ id: 1 }));
    expect(taken).toMatchObject({ attempts: 1, goesOnAt: clock.wallNow() + 10 * MINUTE });
  });

  it('is not taken where it is as long as maxInProcessDelay, which is 30 seconds', async () => {
    const { op } = processWith(fails, { backoff: [30_000, 30_001], maxInProcessDelay: undefined } as never);
    expect((await handedOver(op({ id: 1 }))).attempts).toBe(2);
    expect(clock.sleeps).toEqual([30_000]);
  });

  it('is left alone by layers of retries around the call', async () => {
    const { op } = processWith(fails);
    let calls = 0;
    const around = (retryOn: undefined | (() => boolean)) =>
      retry(
        () => {
          calls++;
          return op({ id: 1 });
        },
        { clock, nested: 'both', ...(retryOn === undefined ? undefined : { retryOn }) },
      );
    await handedOver(around(undefined));
    engine.jobs.clear();
    await handedOver(around(() => true));
    expect(calls).toBe(2);
  });

  it('does not ask the fallback: the call is not over', async () => {
    const { op } = processWith(fails, { fallback: 'none' } as never);
    await handedOver(op({ id: 1 }));
  });
});

describe('a call that was handed over', () => {
  it('leaves one letter with its whole history when it is given up', async () => {
    const caller = processWith(fails);
    const startedAt = clock.wallNow();
    await handedOver(caller.op.with({ idempotencyKey: 'k-1', source: { topic: 'orders' } })({ id: 5 }));
    await work(processWith(fails).calls);
    const result = await work(processWith(fails).calls);
    expect(result).toMatchObject({
      outcome: 'given_up',
      reason: 'attempts_exhausted',
      attempts: 5,
      hasLetter: true,
      error: { type: 'ECONNRESET', message: 'down, password=[redacted]' },
    });
    expect(failureOf(result)).toBeUndefined();
    const { letters } = await store.list();
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({
      operation: 'charge',
      payload: { kind: 'plain', json: '[{"id":5}]' },
      reason: 'attempts_exhausted',
      attempts: 5,
      redrives: 0,
      idempotencyKey: 'k-1',
      source: { topic: 'orders' },
      firstFailedAt: startedAt,
      lastFailedAt: startedAt + 3000 + 30 * MINUTE,
    });
    expect(
      letters[0]?.history.map(({ startedAt: at, delayMs, errorType }) => [at - startedAt, delayMs, errorType]),
    ).toEqual([
      [0, 0, 'ECONNRESET'],
      [1000, 1000, 'ECONNRESET'],
      [1000 + 10 * MINUTE, 10 * MINUTE, 'ECONNRESET'],
      [3000 + 10 * MINUTE, 2000, 'ECONNRESET'],
      [3000 + 30 * MINUTE, 20 * MINUTE, 'ECONNRESET'],
    ]);
  });

  it('is a failed job when it is given up and no queue takes a letter', async () => {
    await handedOver(processWith(fails).op({ id: 5 }));
    const result = await work(
      processWith(
        () => {
          throw Object.assign(new Error('no such card, token=abcdef123456'), { retryable: false });
        },
        { deadLetter: undefined } as never,
      ).calls,
    );
    expect(failureOf(result)).toBe('charge gave up after attempt 3, not_retryable: no such card, token=[redacted]');
  });

  it('has what is left of maxElapsed and of its deadline', async () => {
    const own = { maxElapsed: 15 * MINUTE };
    await handedOver(processWith(fails, own).op({ id: 5 }));
    const result = await work(processWith(fails, own).calls);
    // The wait of twenty minutes would pass the fifteen.
    expect(result).toMatchObject({ outcome: 'given_up', reason: 'deadline_exceeded', attempts: 4 });

    const { op } = processWith(fails);
    await handedOver(op.with({ deadline: clock.wallNow() + 11 * MINUTE })({ id: 5 }));
    seen.length = 0;
    const { dueAt } = [...engine.jobs.values()][0] as { dueAt: number };
    await clock.advance(dueAt - clock.wallNow() + 2 * MINUTE);
    expect(await work(processWith(fails).calls)).toMatchObject({
      outcome: 'given_up',
      reason: 'deadline_exceeded',
      attempts: 2,
      error: { type: 'ECONNRESET' },
    });
    expect(seen).toEqual([]);
  });

  it('makes no attempt beyond a maxAttempts that was lowered meanwhile', async () => {
    await handedOver(processWith(fails).op({ id: 5 }));
    seen.length = 0;
    const result = await work(processWith(fails, { maxAttempts: 2 }).calls);
    expect(result).toMatchObject({ outcome: 'given_up', reason: 'attempts_exhausted', attempts: 2 });
    expect(seen).toEqual([]);
  });

  it('is handed on to the same job when its worker dies afterwards and it is run again', async () => {
    await handedOver(processWith(fails).op({ id: 5 }));
    const { id, data } = await engine.due();
    const worker = processWith(fails);
    const results: JobResult[] = [];
    for (let i = 0; i < 2; i++) {
      const running = worker.calls.run(data, id, undefined);
      await clock.runAll();
      results.push(await running);
    }
    expect(results[1]).toMatchObject({ outcome: 'handed_over', jobId: (results[0] as { jobId: string }).jobId });
    expect(engine.jobs.size).toBe(2);
    expect(seen.map(({ number }) => number)).toEqual([1, 2, 3, 4, 3, 4]);
  });

  it('is stopped with its worker, without a letter', async () => {
    await handedOver(processWith(fails).op({ id: 5 }));
    const controller = new AbortController();
    const worker = processWith(() => {
      controller.abort(new Error('shutting down'));
      return new Promise(() => undefined);
    });
    const result = await work(worker.calls, controller.signal);
    expect(result).toEqual({ outcome: 'aborted', operation: 'charge' });
    expect(failureOf(result)).toBe('charge was stopped in the middle of its work');
    expect((await store.list()).letters).toEqual([]);
  });

  it('is stopped by the signal of its policy, too', async () => {
    await handedOver(processWith(fails).op({ id: 5 }));
    const shutdown = new AbortController();
    const own = { signal: shutdown.signal };
    const worker = processWith(() => {
      shutdown.abort(new Error('shutting down'));
      return new Promise(() => undefined);
    }, own);
    expect(await work(worker.calls, new AbortController().signal)).toEqual({
      outcome: 'put_back',
      operation: 'charge',
      why: 'the worker was stopped in the middle of it',
      goesOnAt: clock.wallNow() + 5000,
    });
    expect((await store.list()).letters).toEqual([]);
  });

  it('pays into the budget once, and out of it for each retry', async () => {
    const budget = new RetryBudget({ name: 'shared' });
    const spent = budget.balance();
    const deposits: string[] = [];
    const watched = new Proxy(budget, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (key === 'deposit') deposits.push(String(args[0]));
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
    await handedOver(processWith(fails, { budget: watched }).op({ id: 1 }));
    await work(processWith(() => 1, { budget: watched }).calls);
    expect(deposits).toEqual(['call', 'success']);
    expect(spent).toBeGreaterThan(0);
  });

  it('is shown as a call that was aborted, and as another one that goes on', async () => {
    const told: unknown[] = [];
    const observer: RetryObserver = {
      call: info => ({
        attempt: ({ number, delayMs, delaySource }) => {
          told.push(['attempt', number, delayMs, delaySource]);
          return { end: end => void told.push(['end', end.outcome === 'failure' ? end.next : end.outcome]) };
        },
        end: end => {
          const { outcome, attempts } = end;
          const failure = 'reason' in end ? [end.reason, (end.error as { code: string }).code] : [];
          told.push(['call', info.link, outcome, attempts, ...failure]);
        },
      }),
    };
    const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
    setLetterTracing({ current: () => trace } as never);
    await handedOver(processWith(fails, { observer }).op({ id: 1 }));
    await work(processWith(() => 1, { observer }).calls);
    expect(told).toEqual([
      ['attempt', 1, 0, 'none'],
      ['end', 'retry'],
      ['attempt', 2, 1000, 'backoff'],
      ['end', 'retry'],
      ['call', undefined, 'failure', 2, 'aborted', 'ERR_RETRY_HANDED_OVER'],
      ['attempt', 3, 10 * MINUTE, 'backoff'],
      ['end', 'success'],
      ['call', trace, 'success', 3],
    ]);
  });

  it('tells its hooks of each retry and each end', async () => {
    const told: unknown[] = [];
    const own = {
      onRetry: ({ attempt, delayMs }: { attempt: number; delayMs: number }) => void told.push([attempt, delayMs]),
      onStop: ({ reason, attempts }: { reason: string; attempts: number }) => void told.push([reason, attempts]),
    };
    await handedOver(processWith(fails, own).op({ id: 1 }));
    await work(processWith(fails, { ...own, maxAttempts: 3 }).calls);
    expect(told).toEqual([
      [1, 1000],
      [2, 10 * MINUTE],
      ['aborted', 2],
      ['attempts_exhausted', 3],
    ]);
  });
});

describe('a call that cannot be handed over waits in memory', () => {
  const lasts = async (
    own: Parameters<typeof processWith>[1] = {},
    waits: Partial<WaitsOptions> = {},
    order = { id: 1 },
  ) => {
    const before = faults();
    const { op, events } = processWith(fails, { ...own, maxAttempts: 3 }, waits);
    const startedAt = clock.wallNow();
    const outcome = await settle(clock, op(order));
    expect('error' in outcome && (outcome.error as { code: string }).code).toBe('ECONNRESET');
    expect(clock.wallNow() - startedAt).toBe(1000 + 10 * MINUTE);
    expect(faults() - before).toBe(1);
    expect(engine.jobs.size).toBe(0);
    expect((await store.list()).letters).toHaveLength(1);
    return events.map(({ event, why }) => [event, why]);
  };

  it('where the engine refuses', async () => {
    engine.before = () => {
      throw Object.assign(new Error('no connection'), { code: 'ECONNREFUSED' });
    };
    expect(await lasts()).toEqual([['kept_in_memory', 'the engine did not take it: ECONNREFUSED']]);
  });

  it('where the engine hangs, for the same time as without it', async () => {
    engine.before = () => new Promise(() => undefined);
    expect(await lasts()).toEqual([['kept_in_memory', 'the engine did not take it: ETIMEDOUT']]);
    expect(clock.sleeps).toEqual([1000, 10 * MINUTE - 5000]);
  });

  it('where the encryption hangs', async () => {
    const cipher = { seal: () => new Promise<never>(() => undefined), open: () => Promise.reject(new Error('no')) };
    expect(await lasts({}, { cipher })).toEqual([['kept_in_memory', 'the engine did not take it: ETIMEDOUT']]);
  });

  it('where secrets would be taken out of its arguments', async () => {
    expect(await lasts({}, {}, { id: 1, token: 'abc' } as never)).toEqual([
      ['kept_in_memory', 'the arguments would be altered: redacted'],
    ]);
  });

  it('where its arguments are too large', async () => {
    const order = { id: 1, text: 'x'.repeat(2000) };
    expect(await lasts({}, { maxPayloadBytes: 1024 }, order)).toEqual([
      ['kept_in_memory', 'the arguments cannot be kept: too_large'],
    ]);
  });

  it('where its key looks like a secret, or is too long', async () => {
    const key = () => 'password=hunter22';
    expect(await lasts({ idempotencyKey: key })).toEqual([
      ['kept_in_memory', 'the idempotency key looks like a secret'],
    ]);
    await store.purge({});
    expect(await lasts({ idempotencyKey: () => 'k'.repeat(513) })).toEqual([
      ['kept_in_memory', 'the idempotency key is too long'],
    ]);
  });

  it('where a worker could not read what was written', async () => {
    const before = faults();
    const { op } = processWith(fails, { maxAttempts: 3 });
    const source = { topic: 'orders', partition: -1 };
    expect(await settle(clock, op.with({ source })({ id: 1 }))).toMatchObject({ error: { code: 'ECONNRESET' } });
    expect(faults() - before).toBe(1);
  });

  it('where a keeper of somebody else rejects', async () => {
    expect(await lasts({ durable: { handOver: () => Promise.reject(new Error('x')) } })).toEqual([]);
  });

  it('where ten thousand others wait for an answer of the engine', async () => {
    engine.before = () => new Promise(() => undefined);
    // The timers of ten thousand calls are not what this is about.
    const still = { now: () => 0, wallNow: () => 0, random: () => 0, timer: () => () => undefined };
    const events: WaitEvent[] = [];
    const calls = new DurableCalls(engine, { clock: still as never, onEvent: event => void events.push(event) });
    const payload = { kind: 'plain', json: '[1]', version: 1, bytes: 3, altered: [] };
    const { signal } = new AbortController();
    const call = {
      ...{ operation: 'charge', version: 1, args: [1], isRestorable: false, error: 'x', attempts: 2 },
      ...{ wait: { delayMs: 1000, delaySource: 'backoff' as const }, startedAt: 1, deadline: undefined },
      ...{ idempotencyKey: 'k', source: undefined, before: { id: randomUUID(), payload } as never },
      ...{ history: [], firstFailedAt: 1, failedAt: 2, trace: undefined },
    };
    for (let i = 0; i < 10_000; i++) void calls.handOver(call, signal);
    expect(await calls.handOver(call, signal)).toBeUndefined();
    expect(events.map(({ why }) => why)).toEqual(['the engine has too many others to answer']);
  });

  it('and is taken back from an engine that took it too late', async () => {
    let letIn: (() => void) | undefined;
    engine.before = () => new Promise<void>(resolve => (letIn = resolve));
    const { op } = processWith(fails, { maxAttempts: 3 });
    const outcome = outcomeOf(op({ id: 1 }));
    await clock.advance(10_000);
    letIn?.();
    await clock.advance(0);
    expect(engine.removed).toHaveLength(1);
    expect(engine.jobs.size).toBe(0);
    await clock.runAll();
    expect(await outcome).toMatchObject({ error: { code: 'ECONNRESET' } });
  });

  it('and aborts at once, and is taken back, when its caller aborts meanwhile', async () => {
    let letIn: (() => void) | undefined;
    engine.before = () => new Promise<void>(resolve => (letIn = resolve));
    const { op } = processWith(fails);
    const controller = new AbortController();
    const outcome = outcomeOf(op.with({ signal: controller.signal })({ id: 1 }));
    await clock.advance(2000);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await outcome).toEqual({ error: reason });
    letIn?.();
    await clock.advance(0);
    expect(engine.jobs.size).toBe(0);
    expect(clock.pending).toBe(0);
  });
});

describe('the arguments of a call that was handed over', () => {
  const own = {
    restore: (stored: readonly unknown[] | undefined) =>
      [{ ...(stored?.[0] as { id: number }), token: 'fetched' }] as [{ id: number; token: string }],
  };

  it('are without secrets in the queue, and made whole by restore', async () => {
    const planted = 'sk-planted-0123456789abcdef';
    await handedOver(processWith(fails, own).op({ id: 5, token: planted }));
    expect([...engine.jobs.values()][0]?.text).not.toContain(planted);
    let got: unknown;
    const worker = processWith(order => {
      got = order;
      return fails();
    }, own);
    await work(worker.calls);
    expect(got).toEqual({ id: 5, token: 'fetched' });
    // What was stored goes along, not what restore has made of it.
    expect([...engine.jobs.values()][0]?.text).not.toContain('fetched');
    expect(await work(worker.calls)).toMatchObject({ outcome: 'given_up' });
  });

  it('are asked for again when restore fails, as a failed attempt', async () => {
    await handedOver(processWith(fails, own).op({ id: 5 }));
    let asked = 0;
    const restore = () => {
      if (++asked === 1) throw Object.assign(new Error('the vault is down'), { code: 'ECONNREFUSED' });
      return [{ id: 7 }] as [{ id: number }];
    };
    const orders: unknown[] = [];
    expect(await work(processWith(order => void orders.push(order), { restore }).calls)).toMatchObject({
      outcome: 'success',
    });
    expect([asked, orders]).toEqual([2, [{ id: 7 }]]);
    expect(seen.at(-1)?.number).toBe(4);
  });

  it('are sealed with a cipher, and nothing else is taken by who has one', async () => {
    const cipher = aes256Gcm({ keyId: 'k', keys: { k: Buffer.alloc(32, 7) } });
    await handedOver(processWith(fails, {}, { cipher }).op({ id: 31_337 }));
    const text = [...engine.jobs.values()][0]?.text as string;
    expect(text).not.toContain('31337');
    const { id, data } = await engine.due();
    const worker = processWith(() => 1, {}, { cipher });
    const plain = { ...data, payload: { kind: 'plain', json: '[{"id":1}]', version: 1, bytes: 10, altered: [] } };
    const forged = { outcome: 'refused', why: 'the payload is not sealed', hasLetter: false };
    expect(await worker.calls.run(plain, id, undefined)).toEqual(forged);
    expect(await worker.calls.run({ ...plain, operation: 'other' }, id, undefined)).toEqual(forged);
    const closed = { outcome: 'put_back', why: expect.stringContaining('sealed with a key that is not here') };
    expect(await worker.calls.run({ ...data, id: randomUUID() }, id, undefined)).toMatchObject(closed);
    expect(await processWith(() => 1).calls.run(data, id, undefined)).toMatchObject(closed);
    expect((await store.list()).letters).toEqual([]);
    expect(await worker.calls.run(data, id, undefined)).toMatchObject({ outcome: 'success' });
  });
});

describe('a job', () => {
  const job = async (): Promise<Record<string, unknown>> => {
    await handedOver(processWith(fails).op.with({ source: { topic: 't', partition: 1, offset: '9' } })({ id: 5 }));
    return (await engine.due()).data;
  };

  it('is put back when there is no such operation here, or an older one', async () => {
    const data = await job();
    const { calls, events } = processWith(() => 1);
    for (const operation of ['other', '__proto__', 'constructor', 'toString']) {
      const result = await calls.run({ ...data, operation }, 'j', undefined);
      const why = `there is no operation of the name ${JSON.stringify(operation)}`;
      expect(result).toEqual({ outcome: 'put_back', operation, why, goesOnAt: clock.wallNow() + 5000 });
      expect(failureOf(result)).toBeUndefined();
    }
    const newer = { ...data, payload: { ...(data.payload as object), version: 2 } };
    const putBack = { outcome: 'put_back', why: expect.stringContaining('newer version') };
    expect(await calls.run(newer, 'j', undefined)).toMatchObject(putBack);
    expect(await calls.run({ ...data, format: 2 }, 'j', undefined)).toMatchObject(putBack);
    expect(seen).toHaveLength(2);
    expect(events.map(({ event }) => event)).toEqual(Array.from({ length: 6 }, () => 'put_back'));
  });

  it('is refused when anything in it is not what it must be', async () => {
    const data = await job();
    const { calls } = processWith(() => 1);
    const unreadable: unknown[] = [
      { ...data, payload: { ...(data.payload as object), json: '{"length":1}' } },
      { ...data, payload: { ...(data.payload as object), json: '[' } },
    ];
    const hostile: unknown[] = [
      undefined,
      null,
      'text',
      17,
      [],
      {},
      JSON.stringify(data),
      Object.create(data),
      new Proxy(data, {
        getOwnPropertyDescriptor: () => {
          throw new Error('trap');
        },
      }),
      { ...data, format: 0 },
      { ...data, format: '1' },
      { ...data, format: 2, putBack: -1 },
      { ...data, putBack: '3' },
      { ...data, putBack: -Infinity },
      { ...data, id: 'other' },
      { ...data, attempts: 0 },
      { ...data, attempts: 1e300 },
      { ...data, attempts: -1 },
      { ...data, attempts: '2' },
      { ...data, history: 'none' },
      { ...data, history: Array.from({ length: 101 }, () => (data.history as unknown[])[0]) },
      { ...data, history: [null] },
      { ...data, idempotencyKey: '' },
      { ...data, idempotencyKey: { toString: () => 'k' } },
      { ...data, payload: { kind: 'code', json: 'process.exit()' } },
      { ...data, payload: { ...(data.payload as object), altered: ['__proto__'] } },
      ...unreadable,
      { ...data, error: { type: 'a b\n', message: '' } },
      { ...data, trace: { traceId: 'x', spanId: 'y' } },
      { ...data, wait: { delayMs: -1, delaySource: 'backoff' } },
      { ...data, wait: { delayMs: 1, delaySource: 'hedge' } },
      { ...data, source: { topic: 'x'.repeat(250) } },
      { ...data, startedAt: 1.5 },
    ];
    for (const item of hostile) {
      const result = await calls.run(item, 'j', undefined);
      if (result.outcome !== 'refused') throw new Error(`not refused: ${JSON.stringify(item)}`);
      // What names a call of ours, with arguments that cannot be read, is kept for a human.
      const isOurs = unreadable.includes(item);
      expect([item, result.hasLetter]).toEqual([item, isOurs]);
      expect([item, failureOf(result)]).toEqual([
        item,
        isOurs ? undefined : expect.stringMatching(/^The job is refused: /),
      ]);
    }
    expect(seen).toHaveLength(2);
    expect(calls.counts.refused).toBe(hostile.length);
    expect(engine.jobs.size).toBe(1);
    expect((await store.list()).letters).toMatchObject([
      { id: data.id, reason: 'not_retryable', payload: { kind: 'omitted', why: 'damaged' } },
    ]);
  });

  it('gives no prototype to its arguments', async () => {
    const data = await job();
    let got: unknown;
    const { calls } = processWith(order => {
      got = order;
    });
    const payload = { ...(data.payload as object), json: '[{"id":1,"__proto__":{"isAdmin":true}}]' };
    await calls.run({ ...data, payload, __proto__: { evil: 1 } }, 'j', undefined);
    expect(Object.getPrototypeOf(got)).toBe(Object.prototype);
    expect(Object.keys(got as object)).toEqual(['id']);
  });

  it('of any shape is read or refused, and never throws', async () => {
    const data = await job();
    const keys = Object.keys(data);
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.anything(), (key, value) => {
        const read = readJob({ ...data, [key]: value });
        return read.is !== 'ours' || (read.call.attempts >= 1 && read.call.history.length <= 100);
      }),
    );
    fc.assert(fc.property(fc.anything(), value => readJob(value).is === 'foreign'));
    expect(readJob(data)).toMatchObject({
      is: 'ours',
      call: { operation: 'charge', attempts: 2, source: { topic: 't' } },
      putBack: 0,
    });
  });
});

describe('the options of durable waits', () => {
  it('are checked when the operation is defined', () => {
    const registry = new OperationRegistry();
    const define = (own: object) => () => defineOperation('x', () => 1, { registry, ...own });
    expect(define({ maxInProcessDelay: 5 })).toThrow('maxInProcessDelay needs durable');
    expect(define({ durable: {} })).toThrow('durable is an object; it must be BullmqWaits, PgBossWaits');
    expect(define({ durable: { handOver: () => undefined }, maxInProcessDelay: -1 })).toThrow(RangeError);
  });
});
