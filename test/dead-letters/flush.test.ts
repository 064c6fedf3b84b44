import { FakeClock } from 'retryscope/testing';
import {
  type DeadLetter,
  DeadLetterQueue,
  DeadLetterStoreFullError,
  defineOperation,
  MemoryDeadLetterStore,
  OperationRegistry,
} from '../../src/recovery/dead-letters/index.ts';
import { storeWith } from './support/store-with.ts';

// Letters that wait in memory, and a store that takes some of them, or none.

const STORE_TIMEOUT_MS = 1000;
const FLUSH_PAUSE_MS = 5000;

let clock: FakeClock;
let inner: MemoryDeadLetterStore;
let registry: OperationRegistry;
let queue: DeadLetterQueue;
/** The operations of the letters that the store was asked to take, in order. */
let asked: string[];
/** What the store does with a letter of an operation; undefined takes it. */
let refuse: (operation: string) => Promise<never> | undefined;

beforeEach(() => {
  clock = new FakeClock();
  inner = new MemoryDeadLetterStore({ clock });
  registry = new OperationRegistry();
  asked = [];
  refuse = () => Promise.reject(Object.assign(new Error('down'), { code: 'ECONNREFUSED' }));
  const store = storeWith(inner, {
    put: (letter: DeadLetter) => {
      asked.push(letter.operation);
      return refuse(letter.operation) ?? inner.put(letter);
    },
  });
  const options = { storeTimeoutMs: STORE_TIMEOUT_MS, lastResort: () => undefined };
  queue = new DeadLetterQueue({ name: 'payments', store, clock, ...options });
});
afterEach(() => expect(clock.pending).toBe(0));

/** Calls that are given up while the store is away: their letters wait in this order. */
async function leave(...names: readonly string[]): Promise<void> {
  const before = refuse;
  refuse = () => Promise.reject(new Error('down'));
  for (const name of names) {
    const operation = defineOperation(name, () => Promise.reject(new Error('mine')), {
      clock,
      registry,
      maxAttempts: 1,
      deadLetter: queue,
    });
    await expect(operation()).rejects.toThrow('mine');
  }
  expect(queue.waiting).toBe(names.length);
  asked = [];
  refuse = before;
}
/** Closes the queue, and gives how many milliseconds that takes. */
async function closed(): Promise<number> {
  const startedAt = clock.elapsed;
  const end = queue.close().then(() => clock.elapsed - startedAt);
  await clock.advance(20 * STORE_TIMEOUT_MS);
  return end;
}
const goods = (count: number): string[] => Array.from({ length: count }, (_, i) => `good ${i}`);
const stored = async (): Promise<string[]> => (await inner.list()).letters.map(({ operation }) => operation).sort();
const never = (): Promise<never> => new Promise(() => undefined);
const refusing =
  (how: () => Promise<never>) =>
  (operation: string): Promise<never> | undefined =>
    operation.startsWith('poison') ? how() : undefined;

describe('a letter that the store never takes', () => {
  it.each<[string, () => Promise<never>]>([
    ['is refused', () => Promise.reject(new Error('no'))],
    ['is too much for a full store', () => Promise.reject(new DeadLetterStoreFullError('maxBytes'))],
    ['makes the store hang', never],
  ])('and that %s holds up none of the others, neither at work nor at the end', async (_, how) => {
    await leave('poison', ...goods(5));
    refuse = refusing(how);
    await clock.advance(FLUSH_PAUSE_MS + STORE_TIMEOUT_MS);
    expect(await stored()).toEqual(goods(5));
    expect(asked).toEqual(['poison', ...goods(5)]);
    await closed();
    expect(queue.waiting).toBe(1);
    expect(queue.counts).toMatchObject({ stored: 5, not_stored: 6 });
  });

  it('holds up none of the others of a queue that is closed at once', async () => {
    await leave('poison', ...goods(20));
    refuse = refusing(() => Promise.reject(new Error('no')));
    await queue.close();
    expect(await stored()).toEqual(goods(20).sort());
    expect(asked).toEqual(['poison', ...goods(20)]);
    expect(queue.waiting).toBe(1);
  });

  it('in company holds up the others until the next turns', async () => {
    await leave('poison a', 'poison b', 'poison c', ...goods(3));
    refuse = refusing(() => Promise.reject(new Error('no')));
    await clock.advance(FLUSH_PAUSE_MS);
    expect(asked).toEqual(['poison a', 'poison b']);
    await clock.advance(FLUSH_PAUSE_MS);
    expect(await stored()).toEqual(goods(3));
    await queue.close();
    expect(queue.waiting).toBe(3);
  });
});

describe('a store that is away', () => {
  it('is asked for two letters at each turn, not for every one', async () => {
    await leave(...goods(20));
    await clock.advance(FLUSH_PAUSE_MS);
    expect(asked).toHaveLength(2);
    await clock.advance(FLUSH_PAUSE_MS);
    expect(asked).toHaveLength(4);
    refuse = () => undefined;
    await queue.close();
    expect(await stored()).toEqual(goods(20).sort());
  });

  it('at the end is asked for every letter once, where it says no at once', async () => {
    await leave(...goods(20));
    await queue.close();
    expect(asked.toSorted()).toEqual(goods(20).sort());
    expect(queue.waiting).toBe(20);
  });

  it('and that does not answer keeps the end waiting for two letters only', async () => {
    await leave(...goods(20));
    refuse = never;
    expect(await closed()).toBe(2 * STORE_TIMEOUT_MS);
    expect(asked).toHaveLength(2);
  });

  it('and is slow to say no is given up after the time that one letter has', async () => {
    await leave(...goods(20));
    refuse = () => clock.sleep(300, undefined, 'ref').then(() => Promise.reject(new Error('no')));
    expect(await closed()).toBe(1200);
  });

  it('and is back when the queue is closed gets what a turn that is under way has passed over', async () => {
    await leave(...goods(5));
    const answer = Promise.withResolvers<never>();
    refuse = () => answer.promise;
    const turn = queue.flush();
    expect(asked).toEqual(['good 0']);
    const closed = queue.close();
    refuse = () => undefined;
    answer.reject(new Error('no'));
    await Promise.all([turn, closed]);
    expect(await stored()).toEqual(goods(5));
    expect(await turn).toBe(0);
  });
});

it('a queue may be closed twice at the same time, and used after that', async () => {
  await leave(...goods(3));
  refuse = () => undefined;
  await Promise.all([queue.close(), queue.close()]);
  expect(asked).toEqual(goods(3));
  await leave('later');
  await Promise.all([queue.close(), queue.flush()]);
  expect(await stored()).toEqual([...goods(3), 'later']);
});
