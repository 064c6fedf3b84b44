import { randomBytes } from 'node:crypto';
import { FakeClock } from 'retryscope/testing';
import {
  aes256Gcm,
  type DeadLetter,
  DeadLetterQueue,
  type DeadLetterStore,
  defineOperation,
  MemoryDeadLetterStore,
  type OperationContext,
  type OperationOptions,
  OperationRegistry,
  previewRedrive,
  type RedriveEvent,
  type RedriveOptions,
  type RedriveReport,
  redrive,
  setLetterTracing,
} from '../../src/recovery/dead-letters/index.ts';
import { settle } from '../support/settle.ts';
import { storeWith } from './support/store-with.ts';

let clock: FakeClock;
let store: MemoryDeadLetterStore;
let queue: DeadLetterQueue;
let registry: OperationRegistry;
/** What reached the outside, in order. */
let sent: number[];
/** What the outside answers to each number. */
let answer: (id: number, context: OperationContext) => unknown;

beforeEach(() => {
  clock = new FakeClock();
  store = new MemoryDeadLetterStore({ clock });
  queue = new DeadLetterQueue({ name: 'payments', store, clock });
  registry = new OperationRegistry();
  sent = [];
  answer = () => 'ok';
});
afterEach(() => setLetterTracing(undefined));

const refused = (): never => {
  throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
};

function define(name = 'charge', own: OperationOptions<[{ id: number }]> = {}) {
  return defineOperation(
    name,
    async function (this: OperationContext, order: { id: number }) {
      sent.push(order.id);
      return await answer(order.id, this);
    },
    { clock, registry, jitter: false, maxAttempts: 1, deadLetter: queue, ...own },
  );
}

/** Leaves a letter for each number, one second after another. */
async function leave(count: number, operation = define()): Promise<readonly DeadLetter[]> {
  const before = answer;
  answer = refused;
  for (let id = 1; id <= count; id++) {
    await settle(clock, operation({ id }));
    await clock.advance(1000);
  }
  answer = before;
  sent = [];
  return (await store.list({}, { limit: 1000 })).letters;
}

const run = async (own: RedriveOptions = {}): Promise<RedriveReport> => {
  const outcome = await settle(clock, redrive(queue, { registry, ...own }));
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
};
const NONE = { redriven: 0, failed: 0, quarantined: 0, released: 0, lost: 0 };
const statesNow = async (): Promise<string[]> =>
  (await store.list({}, { limit: 1000 })).letters.map(({ state }) => state.is);

describe('a redrive', () => {
  it('sends every letter again, oldest first, and notes it', async () => {
    await leave(25);
    const report = await run();
    expect(report).toMatchObject({ stopped: 'done', results: { ...NONE, redriven: 25 } });
    expect(sent).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
    expect(new Set(await statesNow())).toEqual(new Set(['redriven']));
    expect(queue.counts).toMatchObject({ redriven: 25, failed: 0 });
    expect(await run()).toMatchObject({ stopped: 'done', results: NONE });
  });

  it('sends one, or those of a filter, or no more than the limit', async () => {
    const letters = await leave(6);
    await leave(2, define('ship'));
    expect((await run({ filter: { ids: [letters[3]?.id as string] } })).results.redriven).toBe(1);
    expect(sent).toEqual([4]);
    expect((await run({ filter: { operations: ['ship'] } })).results.redriven).toBe(2);
    expect(await run({ limit: 2 })).toMatchObject({ stopped: 'limit', results: { redriven: 2 } });
    expect((await run({ filter: { errorType: 'ETIMEDOUT' } })).results.redriven).toBe(0);
    expect((await run({ filter: { minAgeMs: 3_600_000 } })).results.redriven).toBe(0);
    expect((await run({ filter: { reason: 'attempts_exhausted' } })).results.redriven).toBe(3);
  });

  it('gives the handler the key of the first call, and tells it which redrive this is', async () => {
    const [letter] = await leave(1);
    const seen: unknown[] = [];
    answer = (_, { idempotencyKey, redrive: number }) => {
      seen.push([idempotencyKey, number]);
      return refused();
    };
    await run();
    await run();
    expect(seen).toEqual([
      [letter?.idempotencyKey, 1],
      [letter?.idempotencyKey, 2],
    ]);
  });

  it('runs under the policy of the operation, but for its fallback, and makes no second letter', async () => {
    await leave(1, define('charge', { maxAttempts: 2, initialDelay: 10, fallback: 'fallback' as never }));
    answer = refused;
    expect((await run()).results).toEqual({ ...NONE, failed: 1 });
    expect(sent).toEqual([1, 1]);
    const letters = (await store.list()).letters;
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({ attempts: 4, redrives: 1, state: { is: 'dead' } });
    expect(letters[0]?.history.map(({ redrive: number }) => number)).toEqual([0, 0, 1, 1]);
  });

  it('tries each letter once in a run, and quarantines what failed too often', async () => {
    await leave(2);
    answer = id => (id === 1 ? refused() : 'ok');
    for (let i = 1; i <= 3; i++) await run({ quarantineAfter: 3, minTried: 100, window: 100 });
    expect(sent).toEqual([1, 2, 1, 1]);
    expect(await statesNow()).toEqual(['quarantined', 'redriven']);
    expect(queue.counts).toMatchObject({ failed: 3, quarantined: 1, redriven: 1 });
    await store.revive({});
    answer = () => 'ok';
    expect((await run()).results.redriven).toBe(1);
  });

  it('is no faster than its rate', async () => {
    await leave(5);
    const times: number[] = [];
    answer = () => void times.push(clock.elapsed);
    await run({ ratePerSecond: 4, concurrency: 3 });
    expect(times.map(time => time - (times[0] as number))).toEqual([0, 250, 500, 750, 1000]);
  });

  it('has as many at work as it may, and no more', async () => {
    await leave(30);
    let [now, most] = [0, 0];
    answer = async () => {
      now++;
      most = Math.max(most, now);
      await clock.sleep(100, undefined, 'ref');
      now--;
    };
    const startedAt = clock.elapsed;
    expect((await run({ concurrency: 8, batch: 5 })).results.redriven).toBe(30);
    expect(most).toBe(8);
    expect(clock.elapsed - startedAt).toBeLessThan(1000);
  });

  it('tells of each letter, and a listener that throws changes nothing', async () => {
    await leave(2);
    const told: RedriveEvent[] = [];
    await run({
      onLetter: event => {
        told.push(event);
        throw new Error('no');
      },
    });
    expect(told.map(({ operation, result }) => [operation, result])).toEqual([
      ['charge', 'redriven'],
      ['charge', 'redriven'],
    ]);
  });

  it('runs each in a span that is linked to the letter, and once, whatever tracing does', async () => {
    const letters = await leave(2);
    const linked: string[] = [];
    setLetterTracing({
      current: () => undefined,
      redrive: (letter, fn) => {
        linked.push(letter.id);
        void fn();
        return linked.length === 1 ? fn() : Promise.reject(new Error('no'));
      },
    });
    expect((await run()).results.redriven).toBe(2);
    expect(linked).toEqual(letters.map(({ id }) => id));
    expect(sent).toEqual([1, 2]);
  });

  it.each([
    [{ filter: { queue: 'x' } }, /filter.queue/],
    [{ filter: { operation: 'x' } }, /operation/],
    [{ limit: 0 }, /limit is 0/],
    [{ ratePerSecond: 0 }, /ratePerSecond is 0/],
    [{ concurrency: 1.5 }, /concurrency is 1.5/],
    [{ leaseMs: 10 }, /leaseMs is 10/],
    [{ stopAtFailureRate: 2 }, /stopAtFailureRate is 2/],
    [{ dryRun: true }, /"dryRun" is not an option/],
  ])('is refused with %j', async (options, message) => {
    await expect(redrive(queue, options as never)).rejects.toThrow(message);
  });
});

describe('a dependency that is still down', () => {
  it('stops the run by itself, long before every letter has failed', async () => {
    await leave(100);
    answer = refused;
    expect(await run()).toMatchObject({ stopped: 'failure_rate', results: { ...NONE, failed: 5, released: 5 } });
    expect(sent).toEqual([1, 2, 3, 4, 5]);
    // What was claimed and not begun is free for the next run.
    expect(new Set(await statesNow())).toEqual(new Set(['dead']));
  });

  it('that goes down meanwhile stops it as well', async () => {
    await leave(100);
    answer = () => (sent.length > 40 ? refused() : 'ok');
    const report = await run();
    expect(report.stopped).toBe('failure_rate');
    expect(report.results).toMatchObject({ redriven: 40, failed: 10 });
  });

  it('stops nothing where the rate is switched off', async () => {
    await leave(30);
    answer = refused;
    expect(await run({ stopAtFailureRate: Infinity })).toMatchObject({ stopped: 'done', results: { failed: 30 } });
  });

  it('is told by an open circuit, which counts against no letter', async () => {
    await leave(30);
    const breaker = {
      name: 'b',
      whenOpen: 'stop' as const,
      tryEnter: () => undefined,
      leave: () => undefined,
      openForMs: () => 1000,
    };
    registry.delete('charge');
    define('charge', { breaker });
    expect(await run()).toMatchObject({ stopped: 'failure_rate', results: { failed: 0, released: 10 } });
    expect((await store.list()).letters.every(({ redrives }) => redrives === 0)).toBe(true);
    expect(sent).toEqual([]);
  });
});

describe('a letter that cannot be sent as it is', () => {
  it('stays where this process has no handler for it, or an older one', async () => {
    await leave(1, define('elsewhere'));
    await leave(1, define('newer', { version: 2 }));
    registry.delete('elsewhere');
    registry.delete('newer');
    define('newer', { version: 1 });
    expect((await run()).results).toEqual({ ...NONE, released: 1 });
    expect(await statesNow()).toEqual(['dead', 'dead']);
  });

  it('is quarantined when it was redacted, was too large, or has an older version, and nothing restores it', async () => {
    const op = define();
    answer = refused;
    await settle(clock, op({ id: 1, password: 'x' } as never));
    await settle(clock, op({ id: 2, text: 'x'.repeat(300_000) } as never));
    await settle(clock, op({ id: 3 }));
    sent = [];
    registry.delete('charge');
    define('charge', { version: 2 });
    expect((await run()).results).toEqual({ ...NONE, quarantined: 3 });
    expect(sent).toEqual([]);
    expect((await store.list()).letters.map(({ state }) => 'why' in state && state.why)).toEqual([
      'the payload was altered: redacted',
      'the payload is not there: too_large',
      'the payload has version 1, the operation 2',
    ]);
    expect(queue.counts).toMatchObject({ failed: 0, quarantined: 3 });
  });

  it('is sent where the operation restores it', async () => {
    const op = define();
    answer = refused;
    await settle(clock, op({ id: 1, password: 'x' } as never));
    await settle(clock, op({ id: 2, text: 'x'.repeat(300_000) } as never));
    [sent, answer] = [[], () => 'ok'];
    registry.delete('charge');
    define('charge', {
      version: 2,
      restore: async (stored, letter) => [
        { id: stored === undefined ? letter.attempts * 1000 : (stored[0] as { id: number }).id + 100 },
      ],
    });
    expect((await run()).results).toEqual({ ...NONE, redriven: 2 });
    expect(sent).toEqual([101, 1000]);
  });

  it('has failed once more when its restore fails, or gives no list', async () => {
    await leave(2);
    registry.delete('charge');
    define('charge', { restore: (_, letter) => (letter.history.length > 1 ? ('nothing' as never) : refused()) });
    expect((await run()).results).toEqual({ ...NONE, failed: 2 });
    expect((await run()).results).toEqual({ ...NONE, failed: 2 });
    expect((await store.list()).letters[0]).toMatchObject({
      redrives: 2,
      error: { message: 'restore gave no list of arguments' },
    });
  });

  it('stays where its key is missing', async () => {
    const cipher = aes256Gcm({ keyId: 'k', keys: { k: randomBytes(32) } });
    const sealedQueue = new DeadLetterQueue({ name: 'payments', store, clock, cipher });
    await leave(2, define('charge', { deadLetter: sealedQueue }));
    expect((await run()).results).toEqual({ ...NONE, released: 2 });
    expect(await statesNow()).toEqual(['dead', 'dead']);
    queue = sealedQueue;
    expect((await run()).results).toEqual({ ...NONE, redriven: 2 });
    expect(sent).toEqual([1, 2]);
  });
});

describe('several redrivers', () => {
  it('share the letters, and send none twice', async () => {
    await leave(60);
    answer = () => clock.sleep(10, undefined, 'ref');
    const all = Promise.all(Array.from({ length: 4 }, () => redrive(queue, { registry, batch: 5 })));
    const outcome = await settle(clock, all);
    const reports = 'value' in outcome ? outcome.value : [];
    expect(reports.map(({ results }) => results.redriven).reduce((a, b) => a + b, 0)).toBe(60);
    expect(reports.every(({ results }) => results.redriven > 0)).toBe(true);
    expect([...sent].sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
  });

  /** So many runs at once, and how often each of them came to a result with each letter. */
  const runTogether = async (runs: number, own: RedriveOptions = {}) => {
    const turns: string[] = [];
    const all = Array.from({ length: runs }, (_, i) =>
      redrive(queue, {
        registry,
        stopAtFailureRate: Infinity,
        onLetter: ({ id, result }) => {
          if (result !== 'redriven') turns.push(`${i} ${id}`);
        },
        ...own,
      }),
    );
    const outcome = await settle(clock, Promise.all(all));
    if ('error' in outcome) throw outcome.error;
    return { turns, reports: outcome.value };
  };

  it.each([2, 3])('that are %i at once try a letter that fails once each', async runs => {
    await leave(100);
    answer = async id => {
      await clock.sleep(10, undefined, 'ref');
      return id % 10 === 0 ? refused() : 'ok';
    };
    const { turns, reports } = await runTogether(runs);
    expect(reports.map(({ stopped }) => stopped)).toEqual(Array(runs).fill('done'));
    expect(new Set(turns).size).toBe(turns.length);
    expect((await store.stats()).queues[0]).toMatchObject({ redriven: 90, dead: 10, claimed: 0, quarantined: 0 });
    for (const id of [10, 50, 100]) {
      const times = sent.filter(one => one === id).length;
      expect(times).toBeGreaterThan(0);
      expect(times).toBeLessThanOrEqual(runs);
    }
    expect(sent.filter(id => id % 10 !== 0)).toHaveLength(90);
  });

  it.each([2, 3])('that are %i at once give back a letter that they cannot open once each, and end', async runs => {
    const cipher = aes256Gcm({ keyId: 'k', keys: { k: randomBytes(32) } });
    const sealed = new DeadLetterQueue({ name: 'payments', store, clock, cipher });
    await leave(40, define('charge', { deadLetter: sealed }));
    const { turns, reports } = await runTogether(runs, { ratePerSecond: 20 });
    expect(reports.map(({ stopped }) => stopped)).toEqual(Array(runs).fill('done'));
    expect(new Set(turns).size).toBe(turns.length);
    expect(new Set(turns.map(turn => turn.split(' ')[1])).size).toBe(40);
    expect(await statesNow()).toEqual(Array(40).fill('dead'));
    expect(sent).toEqual([]);
  });

  it('that are more than a letter remembers try it once each all the same', async () => {
    await leave(60);
    answer = async id => {
      await clock.sleep(10, undefined, 'ref');
      return id <= 10 ? refused() : 'ok';
    };
    const { turns, reports } = await runTogether(25, { batch: 2, quarantineAfter: 1000 });
    expect(reports.every(({ stopped }) => stopped === 'done')).toBe(true);
    expect(new Set(turns).size).toBe(turns.length);
    expect((await store.stats()).queues[0]).toMatchObject({ redriven: 50, dead: 10, claimed: 0 });
  });

  it('that are forgotten by the store try each letter once, and come to what lies behind it', async () => {
    await leave(5);
    answer = id => (id <= 2 ? refused() : 'ok');
    // Whoever asks has another name for the store each time.
    let asked = 0;
    const forgetful = storeWith(store, {
      claim: (...[count, filter, owner, leaseMs]: Parameters<DeadLetterStore['claim']>) =>
        store.claim(count, filter, `${owner} ${++asked}`, leaseMs),
    });
    queue = new DeadLetterQueue({ name: 'payments', store: forgetful, clock });
    expect(await run({ batch: 1, stopAtFailureRate: Infinity })).toMatchObject({
      stopped: 'done',
      results: { ...NONE, redriven: 3, failed: 2 },
    });
    expect(sent).toEqual([1, 2, 3, 4, 5]);
    expect(await statesNow()).toEqual(['dead', 'dead', 'redriven', 'redriven', 'redriven']);
  });

  it('take over the letter of one that is gone when its lease has ended', async () => {
    await leave(1);
    await store.claim(1, {}, 'one that was killed', 5000);
    expect((await run()).results.redriven).toBe(0);
    await clock.advance(5001);
    expect((await run()).results.redriven).toBe(1);
  });

  it('leave a letter alone as long as somebody works on it, however long that is', async () => {
    await leave(1);
    answer = () => clock.sleep(600_000, undefined, 'ref');
    const first = redrive(queue, { registry, leaseMs: 1000 });
    await clock.advance(300_000);
    expect((await store.list()).letters[0]?.state.is).toBe('claimed');
    expect(await store.claim(1, {}, 'other', 1000)).toEqual([]);
    await clock.advance(300_001);
    expect((await first).results.redriven).toBe(1);
  });

  it('that lost a claim do not note it', async () => {
    await leave(1);
    // The store cannot be reached for renewals, so the lease ends in the middle of the work.
    const cut = storeWith(store, {
      renew: () => Promise.reject(new Error('down')),
    });
    const slow = new DeadLetterQueue({ name: 'payments', store: cut, clock });
    answer = () => clock.sleep(5000, undefined, 'ref');
    const first = redrive(slow, { registry, leaseMs: 1000 });
    await clock.advance(2000);
    const second = redrive(queue, { registry });
    await clock.advance(10_000);
    expect((await first).results).toEqual({ ...NONE, lost: 1 });
    expect((await second).results).toEqual({ ...NONE, redriven: 1 });
    expect(sent).toEqual([1, 1]);
  });
});

describe('a run that is ended', () => {
  it('by its signal gives back the letter in work and those behind it, untried', async () => {
    await leave(5);
    const controller = new AbortController();
    answer = id => (id === 2 ? new Promise(() => undefined) : 'ok');
    const call = redrive(queue, { registry, signal: controller.signal });
    await clock.advance(100);
    controller.abort();
    expect(await call).toMatchObject({ stopped: 'aborted', results: { ...NONE, redriven: 1, released: 4 } });
    expect((await store.list({ states: ['dead'] })).letters.map(({ redrives }) => redrives)).toEqual([0, 0, 0, 0]);
  });

  it.each(['restore', 'open'] as const)(
    'by its signal ends although what makes the arguments never does: %s',
    async what => {
      const never = () => new Promise<never>(() => undefined);
      const cipher = {
        ...aes256Gcm({ keyId: 'k', keys: { k: randomBytes(32) } }),
        ...(what === 'open' && { open: never }),
      };
      queue = new DeadLetterQueue({ name: 'payments', store, clock, cipher });
      await leave(1, define('charge', what === 'restore' ? { restore: never } : {}));
      const controller = new AbortController();
      const call = redrive(queue, { registry, signal: controller.signal });
      await clock.advance(100);
      controller.abort();
      expect(await call).toMatchObject({ stopped: 'aborted', results: { ...NONE, released: 1 } });
      expect(await statesNow()).toEqual(['dead']);
      expect(clock.pending).toBe(0);
    },
  );

  it('by its signal while it waits for its turn ends at once', async () => {
    await leave(3);
    const controller = new AbortController();
    const call = redrive(queue, { registry, ratePerSecond: 0.1, leaseMs: 600_000, signal: controller.signal });
    await clock.advance(100);
    controller.abort();
    expect(await call).toMatchObject({ stopped: 'aborted', results: { redriven: 1, released: 2 } });
    expect(clock.pending).toBe(0);
  });

  it('by a store that fails rejects with its error', async () => {
    await leave(2);
    const fault = new Error('down');
    for (const method of ['claim', 'complete'] as const) {
      const broken = storeWith(store, { [method]: () => Promise.reject(fault) });
      await expect(redrive(new DeadLetterQueue({ name: 'payments', store: broken, clock }), { registry })).rejects.toBe(
        fault,
      );
    }
    expect(clock.pending).toBe(0);
  });
});

describe('a preview', () => {
  it('says what a redrive would do, and changes nothing', async () => {
    const op = define();
    await leave(3, op);
    await leave(2, define('elsewhere'));
    answer = refused;
    await settle(clock, op({ id: 9, password: 'x' } as never));
    registry.delete('elsewhere');
    const before = await store.list();
    expect(await previewRedrive(queue, { registry })).toEqual({
      letters: 6,
      operations: [
        { operation: 'charge', sendable: 3, notHere: 0, impossible: 1 },
        { operation: 'elsewhere', sendable: 0, notHere: 2, impossible: 0 },
      ],
    });
    expect(await previewRedrive(queue, { registry, limit: 2 })).toMatchObject({ letters: 2 });
    expect(await previewRedrive(queue, { registry, filter: { operations: ['elsewhere'] } })).toMatchObject({
      letters: 2,
    });
    expect(await store.list()).toEqual(before);
  });
});
