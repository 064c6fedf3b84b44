import { FakeClock } from 'retryscope/testing';
import { retrySummary } from '../../src/engine/summary.ts';
import {
  type DeadLetter,
  DeadLetterQueue,
  type DeadLetterQueueOptions,
  type DeadLetterStore,
  defineOperation,
  MemoryDeadLetterStore,
  type OperationContext,
  OperationRegistry,
  type QueueEvent,
  setLetterTracing,
} from '../../src/recovery/dead-letters/index.ts';
import { queueRegistry } from '../../src/recovery/dead-letters/queue-registry.ts';
import { settle } from '../support/settle.ts';
import { storeWith } from './support/store-with.ts';

let clock: FakeClock;
let store: MemoryDeadLetterStore;
let registry: OperationRegistry;
let lines: string[];
let events: QueueEvent[];
beforeEach(() => {
  clock = new FakeClock();
  store = new MemoryDeadLetterStore({ clock });
  registry = new OperationRegistry();
  lines = [];
  events = [];
});
afterEach(() => setLetterTracing(undefined));

const queueWith = (own: Partial<DeadLetterQueueOptions> = {}): DeadLetterQueue =>
  new DeadLetterQueue({
    name: 'payments',
    store,
    clock,
    lastResort: line => void lines.push(line),
    onEvent: event => void events.push(event),
    ...own,
  });
const letters = async (): Promise<readonly DeadLetter[]> => (await store.list()).letters;
const base = () => ({ clock, registry, jitter: false as const, initialDelay: 100, deadLetter: queueWith() });

describe('an operation', () => {
  it('that succeeds leaves no letter', async () => {
    let calls = 0;
    const op = defineOperation(
      'sum',
      (a: number, b: number) => (++calls < 3 ? Promise.reject(new Error('x')) : a + b),
      base(),
    );
    expect(await settle(clock, op(1, 2))).toEqual({ value: 3 });
    expect(await letters()).toEqual([]);
    expect(op.name).toBe('sum');
    expect(op.operation).toBe('sum');
  });

  it('that gives up leaves a letter of all that is known, and the caller gets its own error', async () => {
    const error = Object.freeze(Object.assign(new Error('refused, password=hunter22'), { code: 'ECONNREFUSED' }));
    const op = defineOperation('charge', (_order: { id: number }) => Promise.reject(error), { ...base(), version: 7 });
    const startedAt = clock.wallNow();
    const outcome = await settle(
      clock,
      op.with({ source: { topic: 'orders', partition: 1, offset: '42' }, idempotencyKey: 'k-1' })({ id: 5 }),
    );
    expect('error' in outcome && outcome.error).toBe(error);
    expect(retrySummary(error)).toMatchObject({ attempts: 3, reason: 'attempts_exhausted' });
    const [letter] = await letters();
    expect(letter).toEqual({
      id: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/),
      queue: 'payments',
      operation: 'charge',
      payload: { kind: 'plain', json: '[{"id":5}]', version: 7, bytes: 10, altered: [] },
      error: {
        type: 'ECONNREFUSED',
        code: 'ECONNREFUSED',
        message: 'refused, password=[redacted]',
        stack: expect.not.stringContaining('hunter22'),
      },
      reason: 'attempts_exhausted',
      attempts: 3,
      history: [
        { startedAt, durationMs: 0, delayMs: 0, errorType: 'ECONNREFUSED', redrive: 0 },
        { startedAt: startedAt + 100, durationMs: 0, delayMs: 100, errorType: 'ECONNREFUSED', redrive: 0 },
        { startedAt: startedAt + 300, durationMs: 0, delayMs: 200, errorType: 'ECONNREFUSED', redrive: 0 },
      ],
      firstFailedAt: startedAt,
      lastFailedAt: startedAt + 300,
      diedAt: startedAt + 300,
      idempotencyKey: 'k-1',
      redrives: 0,
      state: { is: 'dead' },
      source: { topic: 'orders', partition: 1, offset: '42' },
    });
    expect(events).toEqual([{ queue: 'payments', event: 'stored', letters: 1, id: letter?.id, operation: 'charge' }]);
  });

  it('settles only when the letter is durable', async () => {
    const { promise: written, resolve: write } = Promise.withResolvers<void>();
    const slow = storeWith(store, {
      put: async (letter: DeadLetter) => {
        await written;
        return store.put(letter);
      },
    });
    const op = defineOperation('slow', () => Promise.reject(new Error('x')), {
      ...base(),
      maxAttempts: 1,
      deadLetter: queueWith({ store: slow }),
    });
    let isSettled = false;
    const call = op().catch(() => {
      isSettled = true;
    });
    await clock.advance(100);
    expect(isSettled).toBe(false);
    write();
    await call;
    expect(await letters()).toHaveLength(1);
  });

  it('is kept before its fallback is asked, and the fallback is what the caller gets', async () => {
    let there = -1;
    const op = defineOperation('cached', () => Promise.reject<number>(new Error('x')), {
      ...base(),
      fallback: async (_error, summary) => {
        there = (await letters()).length;
        return summary.attempts * 100;
      },
    });
    expect(await settle(clock, op())).toEqual({ value: 300 });
    expect(there).toBe(1);
  });

  it('whose result is refused to the end gives that result, and leaves a letter', async () => {
    const op = defineOperation('poll', () => 'pending', { ...base(), retryOnResult: result => result === 'pending' });
    expect(await settle(clock, op())).toEqual({ value: 'pending' });
    expect((await letters())[0]?.error.type).toBe('ERR_RETRY_RESULT');
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a text', 'just a text'],
    ['a frozen error', Object.freeze(new Error('x'))],
    [
      'a getter that throws',
      Object.defineProperty({}, 'message', {
        get: () => {
          throw new Error('no');
        },
      }),
    ],
  ])('may throw anything: %s', async (_, thrown) => {
    const op = defineOperation('hostile', () => Promise.reject(thrown), { ...base(), maxAttempts: 1 });
    const outcome = await settle(clock, op());
    expect('error' in outcome && Object.is(outcome.error, thrown)).toBe(true);
    expect(await letters()).toHaveLength(1);
  });

  it('has one idempotency key for all attempts of a call, and another one for the next call', async () => {
    const keys: string[] = [];
    const op = defineOperation(
      'keyed',
      async function (this: OperationContext) {
        keys.push(this.idempotencyKey);
        throw new Error('x');
      },
      base(),
    );
    await settle(clock, op());
    await settle(clock, op());
    expect(new Set(keys.slice(0, 3)).size).toBe(1);
    expect(new Set(keys).size).toBe(2);
    expect((await letters()).map(letter => letter.idempotencyKey)).toEqual([keys[0], keys[3]]);
  });

  it('takes the key from its arguments where it was told how, and does without where that fails', async () => {
    const fail = (_order: { id: number }): Promise<never> => Promise.reject(new Error('x'));
    const keyed = defineOperation('a', fail, { ...base(), idempotencyKey: order => `order-${order.id}` });
    const broken = defineOperation('b', fail, {
      ...base(),
      idempotencyKey: () => {
        throw new Error('no');
      },
    });
    await settle(clock, keyed({ id: 3 }));
    await settle(clock, broken({ id: 3 }));
    const [a, b] = await letters();
    expect(a?.idempotencyKey).toBe('order-3');
    expect(b?.idempotencyKey).toMatch(/^[\da-f-]{36}$/);
  });

  it('gives its attempts their signal, number and delay', async () => {
    const seen: unknown[] = [];
    const op = defineOperation(
      'told',
      async function (this: OperationContext) {
        seen.push([this.number, this.maxAttempts, this.delayMs, this.redrive, this.signal.aborted]);
        throw new Error('x');
      },
      { ...base(), maxAttempts: 2 },
    );
    await settle(clock, op());
    expect(seen).toEqual([
      [1, 2, 0, 0, false],
      [2, 2, 100, 0, false],
    ]);
  });

  it('writes down attempts that were cut off, by what cut them', async () => {
    const op = defineOperation('hung', () => new Promise<never>(() => undefined), {
      ...base(),
      attemptTimeout: 50,
      maxAttempts: 2,
    });
    await settle(clock, op());
    const [letter] = await letters();
    expect(letter?.history.map(({ errorType, durationMs }) => [errorType, durationMs])).toEqual([
      ['ERR_RETRY_ATTEMPT_TIMEOUT', undefined],
      ['ERR_RETRY_ATTEMPT_TIMEOUT', undefined],
    ]);
  });

  it('that its caller aborts leaves no letter, unless the queue asks for it', async () => {
    const run = async (name: string, deadLetter: DeadLetterQueue): Promise<number> => {
      const controller = new AbortController();
      const op = defineOperation(name, () => Promise.reject(new Error('x')), { ...base(), deadLetter });
      const call = op
        .with({ signal: controller.signal })()
        .catch(error => error);
      await clock.advance(10);
      controller.abort('enough');
      expect(await call).toBe('enough');
      return (await letters()).length;
    };
    expect(await run('a', queueWith())).toBe(0);
    expect(await run('b', queueWith({ reasons: ['aborted'] }))).toBe(1);
  });

  it('keeps the trace of its last attempt', async () => {
    let span = 0;
    setLetterTracing({
      current: () => ({ traceId: 'a'.repeat(32), spanId: String(++span).padStart(16, '0') }),
      redrive: (_letter, fn) => fn(),
    });
    await settle(clock, defineOperation('traced', () => Promise.reject(new Error('x')), base())());
    expect((await letters())[0]?.trace).toEqual({ traceId: 'a'.repeat(32), spanId: '0000000000000003' });
  });

  it.each([
    [
      () => ({
        current: () => {
          throw new Error('no');
        },
        redrive: () => {
          throw new Error('no');
        },
      }),
    ],
    [() => ({ current: () => ({ traceId: 'not hex', spanId: 5 }), redrive: () => undefined })],
  ])('does without a trace where tracing fails', async tracing => {
    setLetterTracing(tracing() as never);
    await settle(clock, defineOperation('traced', () => Promise.reject(new Error('x')), base())());
    expect(await letters()).toEqual([expect.not.objectContaining({ trace: expect.anything() })]);
  });

  it.each([
    ['', () => 1, {}, /name is ""/],
    ['x', 5, {}, /handler is 5/],
    ['x', () => 1, { deadLetter: {} }, /deadLetter is an object; it must be a DeadLetterQueue/],
    ['x', () => 1, { version: 0 }, /version is 0/],
    ['x', () => 1, { maxAttempt: 2 }, /did you mean "maxAttempts"/],
    ['taken', () => 1, {}, /"taken" is defined already/],
  ])('is refused as %j with %p and %j', (name, handler, options, message) => {
    defineOperation('taken', () => 1, { registry });
    expect(() => defineOperation(name, handler as never, { registry, ...options } as never)).toThrow(message);
  });
});

describe('a store that fails', () => {
  const broken = (fault: unknown): DeadLetterStore => storeWith(store, { put: () => Promise.reject(fault) });
  const failing = (deadLetter: DeadLetterQueue, error: unknown, name = 'op') =>
    defineOperation(name, (_o: { id: number; password: string }) => Promise.reject(error), {
      ...base(),
      maxAttempts: 1,
      deadLetter,
    });

  it.each<[string, unknown]>([
    ['with an error', Object.assign(new Error('disk'), { code: 'ENOSPC' })],
    ['with nothing', undefined],
  ])('%s leaves the caller its own error, a line and a letter in memory, and is counted', async (_, fault) => {
    const queue = queueWith({ store: broken(fault) });
    const error = new Error('mine');
    const outcome = await settle(
      clock,
      failing(queue, error)({ id: 1, password: 'hunter22' }).finally(() => queue.waiting),
    );
    expect('error' in outcome && outcome.error).toBe(error);
    expect(queue.counts).toMatchObject({ stored: 0 });
    expect(queue.counts.not_stored).toBe(1);
    expect(queue.waiting).toBe(1);
    const line = JSON.parse(lines[0] as string) as { letter: DeadLetter };
    expect(line).toMatchObject({
      event: 'dead_letter_not_stored',
      queue: 'payments',
      letter: { operation: 'op', state: { is: 'dead' } },
    });
    expect(lines[0]).not.toContain('hunter22');
    expect(lines[0]).not.toContain('\n');
  });

  it('synchronously, or without a promise, is the same', async () => {
    for (const put of [
      () => {
        throw new Error('sync');
      },
      () => null,
    ]) {
      const queue = queueWith({ store: storeWith(store, { put }) });
      const error = new Error('mine');
      const outcome = await settle(
        clock,
        failing(queue, error, `op ${put.toString().length}`)({ id: 1, password: '' }),
      );
      expect('error' in outcome && outcome.error).toBe(error);
      expect(queue.counts.not_stored).toBe(1);
    }
  });

  it('that hangs holds the caller for the time-out, and no longer', async () => {
    const queue = queueWith({
      store: storeWith(store, { put: () => new Promise(() => undefined) }),
      storeTimeoutMs: 800,
    });
    const startedAt = clock.elapsed;
    let elapsed = 0;
    const call = failing(
      queue,
      new Error('mine'),
    )({ id: 1, password: '' }).catch(() => {
      elapsed = clock.elapsed - startedAt;
    });
    await clock.advance(2000);
    await call;
    expect(elapsed).toBe(800);
    expect(JSON.parse(lines[0] as string)).toMatchObject({ store_error: 'ETIMEDOUT' });
  });

  it('and comes back takes what waited in memory, once each', async () => {
    let isDown = true;
    const flaky = storeWith(store, {
      put: (letter: DeadLetter) => (isDown ? Promise.reject(new Error('down')) : store.put(letter)),
    });
    const queue = queueWith({ store: flaky });
    const op = failing(queue, new Error('mine'));
    for (let id = 0; id < 3; id++) await op({ id, password: '' }).catch(() => undefined);
    expect(queue.waiting).toBe(3);
    isDown = false;
    await clock.advance(5001);
    expect(queue.waiting).toBe(0);
    expect((await letters()).map(({ payload }) => 'json' in payload && payload.json)).toEqual(
      [0, 1, 2].map(id => `[{"id":${id},"password":"[redacted]"}]`),
    );
    expect(queue.counts).toMatchObject({ stored: 3, not_stored: 3 });
    expect(clock.pending).toBe(0);
  });

  it('bounds what waits in memory; every letter has had its line', async () => {
    const queue = queueWith({ store: broken(new Error('down')), ringSize: 2 });
    const op = failing(queue, new Error('mine'));
    for (let id = 0; id < 5; id++) await op({ id, password: '' }).catch(() => undefined);
    expect(queue.waiting).toBe(2);
    expect(lines).toHaveLength(5);
    await queue.close();
    expect(clock.pending).toBe(0);
  });

  it('together with a last resort and a listener that throw, does not reach the caller', async () => {
    const fail = (): never => {
      throw new Error('no');
    };
    const queue = queueWith({ store: broken(new Error('down')), lastResort: fail, onEvent: fail, redact: fail });
    const error = new Error('mine');
    const outcome = await settle(clock, failing(queue, error)({ id: 1, password: '' }));
    expect('error' in outcome && outcome.error).toBe(error);
  });

  it('because it is full is counted and told of in the same way', async () => {
    const full = new MemoryDeadLetterStore({ clock, retention: { maxCount: 1 } });
    const queue = queueWith({ store: full });
    const op = failing(queue, new Error('mine'));
    for (let id = 0; id < 2; id++) await op({ id, password: '' }).catch(() => undefined);
    expect(queue.counts).toMatchObject({ stored: 1, not_stored: 1 });
    expect(JSON.parse(lines[0] as string)).toMatchObject({ store_error: 'ERR_DEAD_LETTER_STORE_FULL' });
    await queue.close();
  });

  it('does not matter to an operation with a keeper of its own that rejects', async () => {
    const error = new Error('mine');
    const op = defineOperation('own', () => Promise.reject(error), {
      clock,
      registry,
      maxAttempts: 1,
      deadLetter: { keep: () => Promise.reject(new Error('no')) },
    });
    expect(await settle(clock, op())).toEqual({ error });
  });
});

describe('a queue', () => {
  it('is shown from the moment it is made', () => {
    const queue = queueWith();
    expect(queueRegistry.queues.has(queue)).toBe(true);
  });

  it('counts what had to go for a letter', async () => {
    const small = new MemoryDeadLetterStore({ clock, retention: { maxCount: 1, whenFull: 'drop-oldest' } });
    const queue = queueWith({ store: small });
    const op = defineOperation('op', () => Promise.reject(new Error('x')), {
      ...base(),
      maxAttempts: 1,
      deadLetter: queue,
    });
    for (let i = 0; i < 3; i++) await op().catch(() => undefined);
    expect(queue.counts).toMatchObject({ stored: 3, evicted: 2 });
  });

  it('purges its own letters alone', async () => {
    const [mine, other] = [queueWith(), queueWith({ name: 'parcels' })];
    for (const [i, deadLetter] of [mine, other].entries()) {
      await defineOperation(`op${i}`, () => Promise.reject(new Error('x')), {
        ...base(),
        maxAttempts: 1,
        deadLetter,
      })().catch(() => undefined);
    }
    expect(await mine.purge({})).toBe(1);
    expect(mine.counts.purged).toBe(1);
    expect(await other.stats()).toMatchObject({ queue: 'parcels', dead: 1 });
    expect(await mine.stats()).toEqual({
      queue: 'payments',
      dead: 0,
      claimed: 0,
      redriven: 0,
      quarantined: 0,
      oldestDiedAt: undefined,
      bytes: 0,
    });
  });

  it.each([
    [{ name: '' }, /name is ""/],
    [{ name: 'x' }, /store is undefined/],
    [{ store: {} }, /store is an object; it must be a DeadLetterStore/],
    [{ reasons: ['bored'] }, /reasons\[0\] is "bored"/],
    [{ maxPayloadBytes: 10 }, /maxPayloadBytes is 10/],
    [{ redact: true }, /redact is true/],
    [{ cypher: {} }, /did you mean "cipher"/],
    [{ ringSize: -1 }, /ringSize is -1/],
  ])('is refused with %j', (own, message) => {
    const store_ = 'name' in own && own.name === 'x' ? {} : { store };
    expect(() => new DeadLetterQueue({ name: 'q', ...store_, ...own } as never)).toThrow(message);
  });
});
