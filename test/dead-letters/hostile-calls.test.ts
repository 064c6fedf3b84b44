import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from 'retryscope/testing';
import {
  aes256Gcm,
  type DeadLetter,
  DeadLetterQueue,
  type DeadLetterQueueOptions,
  type DeadLetterStore,
  defineOperation,
  MemoryDeadLetterStore,
  type OperationCall,
  OperationRegistry,
} from '../../src/recovery/dead-letters/index.ts';
import { SqliteDeadLetterStore } from '../../src/recovery/dead-letters/sqlite/index.ts';
import { settle } from '../support/settle.ts';
import { bundle } from './support/processes.ts';
import { storeWith } from './support/store-with.ts';

// Whatever a call is given and whatever fails around it: the caller gets its own error, on time, and a letter or a line is left.

const PLANTED = 'tr0ub4dor-planted';
let clock: FakeClock;
let registry: OperationRegistry;
let lines: string[];
let folder: string;
beforeEach(() => {
  clock = new FakeClock();
  registry = new OperationRegistry();
  lines = [];
  folder = mkdtempSync(join(tmpdir(), 'dead-letters-hostile-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const stores: readonly [string, () => DeadLetterStore][] = [
  ['memory', () => new MemoryDeadLetterStore({ clock })],
  ['SQLite', () => new SqliteDeadLetterStore({ file: join(folder, 'store.db'), ballastBytes: 0, clock })],
];

const queueOn = (store: DeadLetterStore, own: Partial<DeadLetterQueueOptions> = {}): DeadLetterQueue =>
  new DeadLetterQueue({ name: 'payments', store, clock, lastResort: line => void lines.push(line), ...own });

/** Makes a call that fails with an error of its own, and expects that error. */
async function fail(
  deadLetter: DeadLetterQueue,
  args: readonly unknown[],
  call: OperationCall = {},
  name = `op ${registry.names().length}`,
): Promise<void> {
  const error = new Error('mine');
  const operation = defineOperation(name, (..._: unknown[]) => Promise.reject(error), {
    clock,
    registry,
    deadLetter,
    maxAttempts: 1,
  });
  expect(await settle(clock, operation.with(call)(...args))).toEqual({ error });
}

/** A getter that throws. */
const trap = {
  get: (): never => {
    throw new Error(PLANTED);
  },
  enumerable: true,
};
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
function circular(): object {
  const order: Record<string, unknown> = { id: 1, password: PLANTED };
  order.self = order;
  return order;
}

describe.each(stores)('a call is kept by %s', (_, open) => {
  it.each<[string, () => unknown, string]>([
    ['circular', circular, 'circular'],
    ['a BigInt', () => ({ cents: 4200n, token: PLANTED }), 'type'],
    ['a getter that throws', () => Object.defineProperty({ secret: PLANTED }, 'total', trap), 'unreadable'],
    ['a revoked proxy', revoked, 'unreadable'],
    ['a proxy whose every trap throws', () => new Proxy({}, new Proxy({}, trap)), 'unreadable'],
    ['a symbol', () => Symbol(PLANTED), 'type'],
    ['prototype keys', () => JSON.parse(`{"__proto__": {"isAdmin": true}, "password": "${PLANTED}"}`), 'type'],
    ['5 MB', () => ({ password: PLANTED, text: 'x'.repeat(5_000_000) }), 'too_large'],
    ['5 MB of secrets', () => `password=${PLANTED} `.repeat(200_000), 'too_large'],
    ['SQL', () => ({ id: `'; DROP TABLE letters; -- password=${PLANTED}` }), 'redacted'],
  ])('with arguments that are hostile: %s', async (_name, make, mark) => {
    const store = open();
    await fail(queueOn(store), [make()]);
    const { letters } = await store.list();
    expect(letters).toHaveLength(1);
    const { payload } = letters[0] as DeadLetter;
    expect(payload.kind === 'omitted' ? [payload.why] : payload.altered).toContain(mark);
    expect(JSON.stringify(letters) + lines.join()).not.toContain(PLANTED);
    await store.close();
    const onDisk = readdirSync(folder).map(name => readFileSync(join(folder, name), 'latin1'));
    expect(onDisk.join()).not.toContain(PLANTED);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it.each(["'; DROP TABLE letters; --", '__proto__', 'constructor', '../../etc/passwd', '%', '\u0000', '\ud800'])(
    'of a queue and an operation that are named %j, and can be claimed, filtered and purged by it',
    async name => {
      const store = open();
      const queue = queueOn(store, { name });
      await fail(queue, [1], {}, name);
      await fail(queueOn(store), [2]);
      expect((await store.list({ queue: name })).letters).toHaveLength(1);
      expect(await store.claim(5, { queue: name, operations: registry.names() }, 'a', 1000)).toHaveLength(1);
      await clock.advance(1001);
      expect(await queue.purge({ operations: [name] })).toBe(1);
      expect((await store.stats()).letters).toBe(1);
      await store.close();
    },
  );

  it.each<[string, unknown]>([
    ['a BigInt for an offset', { topic: 'orders', partition: 3, offset: 42n }],
    ['more than it may say', { topic: 'orders', partition: 3, offset: '42', password: PLANTED, deep: circular() }],
    ['getters that throw', Object.defineProperty({ topic: 'orders', partition: 3, offset: 42 }, 'key', trap)],
  ])('from a source with %s, of which it keeps what it knows', async (_name, source) => {
    const store = open();
    await fail(queueOn(store), [1], { source: source as never });
    const { letters } = await store.list();
    expect(letters.map(letter => letter.source)).toEqual([{ topic: 'orders', partition: 3, offset: '42' }]);
    expect(lines).toEqual([]);
    await store.close();
  });

  it.each<[string, unknown]>([
    ['nothing', {}],
    ['null', null],
    ['a topic that is a number', { topic: 5 }],
    ['a revoked proxy', revoked()],
  ])('from a source that is none: %s', async (_name, source) => {
    const store = open();
    await fail(queueOn(store), [1], { source: source as never });
    const { letters } = await store.list();
    expect(letters).toEqual([expect.not.objectContaining({ source: expect.anything() })]);
    await store.close();
  });

  it.each<[unknown]>([[5], [5n], [{}], [''], [Symbol('x')]])(
    'with an idempotency key that is no text: %p',
    async key => {
      const store = open();
      await fail(queueOn(store), [1], { idempotencyKey: key as never });
      expect((await store.list()).letters[0]?.idempotencyKey).toMatch(/^[\da-f-]{36}$/);
      await store.close();
    },
  );
});

describe('what fails around a call', () => {
  it('an encryption that never ends costs it the time-out, and its letter the payload alone', async () => {
    const cipher = {
      ...aes256Gcm({ keyId: 'k', keys: { k: Buffer.alloc(32) } }),
      seal: () => new Promise<never>(() => undefined),
    };
    const store = new MemoryDeadLetterStore({ clock });
    const startedAt = clock.elapsed;
    await fail(queueOn(store, { cipher, storeTimeoutMs: 700 }), [{ id: 1 }]);
    expect(clock.elapsed - startedAt).toBeLessThanOrEqual(700);
    expect((await store.list()).letters[0]?.payload).toMatchObject({ kind: 'omitted', why: 'sealing_failed' });
  });

  it('a clock of no use leaves a line, where no letter can be made', async () => {
    const broken = Object.assign(new FakeClock(), { wallNow: () => 1e300 });
    const queue = queueOn(new MemoryDeadLetterStore({ clock }), { clock: broken });
    await fail(queue, [1], {}, 'op');
    expect(queue.counts.not_stored).toBe(1);
    expect(lines.map(line => JSON.parse(line))).toEqual([
      { event: 'dead_letter_not_stored', queue: 'payments', operation: 'op', store_error: 'ERR_OUT_OF_RANGE' },
    ]);
  });

  it('a letter that the store never takes does not hold up those behind it', async () => {
    const store = new MemoryDeadLetterStore({ clock });
    let isDown = true;
    const picky = storeWith(store, {
      put: (letter: DeadLetter) =>
        isDown || letter.operation === 'poison' ? Promise.reject(new Error('no')) : store.put(letter),
    });
    const queue = queueOn(picky);
    for (const name of ['poison', 'a', 'b']) await fail(queue, [1], {}, name);
    isDown = false;
    await clock.advance(15_000);
    expect((await store.list()).letters.map(({ operation }) => operation).sort()).toEqual(['a', 'b']);
    expect(queue.waiting).toBe(1);
    await queue.close();
    expect(clock.pending).toBe(0);
  });

  it('a store that never answers does not let the process end before the line is written', () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [bundle('silent-store.ts', folder)], {
      encoding: 'utf8',
    });
    expect([stdout, status]).toEqual(['mine\n', 0]);
    expect(JSON.parse(stderr.split('\n').find(line => line.startsWith('{')) as string)).toMatchObject({
      event: 'dead_letter_not_stored',
      store_error: 'ETIMEDOUT',
      letter: { operation: 'charge', payload: { json: '[{"id":7}]' } },
    });
  });
});

describe('two queues of one name', () => {
  it('share what is in the store, and each counts its own', async () => {
    const store = new MemoryDeadLetterStore({ clock });
    const [one, other] = [queueOn(store), queueOn(store)];
    await fail(one, [1]);
    await fail(other, [2]);
    expect([one.counts.stored, other.counts.stored]).toEqual([1, 1]);
    expect((await one.stats()).dead).toBe(2);
    expect(await other.purge({})).toBe(2);
  });
});

it('a purge without a filter is refused, and deletes nothing', async () => {
  const store = new MemoryDeadLetterStore({ clock });
  const queue = queueOn(store);
  await fail(queue, [1]);
  for (const filter of [undefined, null, 'all', { operation: 'x' }])
    await expect(queue.purge(filter as never)).rejects.toThrow(TypeError);
  expect((await store.stats()).letters).toBe(1);
});
