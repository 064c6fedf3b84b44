import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { Redis } from 'ioredis';
import {
  type DeadLetter,
  DeadLetterQueue,
  type DeadLetterStore,
  defineOperation,
  MemoryDeadLetterStore,
  OperationRegistry,
} from 'retryscope/dead-letters';
import { systemClock } from '../../src/engine/system-clock.ts';
import { infoScript } from '../../src/recovery/dead-letters/redis/durability.ts';
import {
  type RedisClient,
  RedisDeadLetterStore,
  type RedisDeadLetterStoreOptions,
} from '../../src/recovery/dead-letters/redis/index.ts';
import * as scripts from '../../src/recovery/dead-letters/redis/scripts.ts';
import { storeKeys } from '../../src/recovery/dead-letters/redis/store-keys.ts';
import { describeStore } from '../dead-letters/contract.ts';
import { letterWith } from '../dead-letters/support/letters.ts';
import { DURABLE, emptyStore, expectConsistent, onRealTime } from '../dead-letters/support/redis-letters.ts';
import { connect, connectCluster, PACKAGES, type Package, type TestClient } from '../redis/support/clients.ts';
import { describeWithRedis } from '../redis/support/needs-redis.ts';
import { type OwnCluster, startCluster } from '../redis/support/redis-cluster.ts';
import { type OwnRedis, startRedis } from '../redis/support/redis-server.ts';
import { until } from '../redis/support/until.ts';

// Real servers on real time, on machines that may be busy.
jest.setTimeout(120_000);

const { SCANNED_AT_ONCE, ...all } = scripts;

it.each(Object.entries({ ...all, infoScript }))('the digest of %s is right', (_, { lua, sha }) => {
  expect(sha).toBe(createHash('sha1').update(lua).digest('hex'));
});

describe('the options', () => {
  const redis = { eval: async () => [], evalsha: async () => [] };

  it.each<[object, RegExp]>([
    [{}, /redis is undefined/],
    [{ redis: {} }, /redis is an object; it must be a client of ioredis or node-redis/],
    [{ redis, keyPrefix: 'a{b}' }, /keyPrefix is "a\{b\}"; it must be .* without braces/],
    [{ redis, keyPrefix: 'a\nb' }, /keyPrefix/],
    [{ redis, keyPrefix: 'x'.repeat(201) }, /keyPrefix/],
    [{ redis, durability: 'maybe' }, /durability is "maybe"; it must be 'require' or 'warn'/],
    [{ redis, timeout: 5 }, /did you mean "timeoutMs"/],
    [{ redis, retention: { maxCount: 0 } }, /maxCount is 0/],
  ])('%j are refused', (options, message) => {
    expect(() => new RedisDeadLetterStore(options as RedisDeadLetterStoreOptions)).toThrow(message);
  });
});

describeWithRedis('the store in Redis', () => {
  let redis: OwnRedis;
  const clients = new Map<Package, TestClient>();
  const clientOf = (name: Package): RedisClient => (clients.get(name) as TestClient).redis;

  beforeAll(async () => {
    redis = await startRedis(...DURABLE);
    for (const name of PACKAGES) clients.set(name, await connect(name, redis.url));
  });
  afterAll(async () => {
    for (const client of clients.values()) client.end();
    await redis?.end();
  });

  for (const name of PACKAGES) describeStore(`Redis by ${name}`, () => onRealTime(() => clientOf(name)));

  const newLetter = (own: Partial<DeadLetter> = {}): DeadLetter => letterWith({ diedAt: Date.now(), ...own });
  const putSome = async (store: DeadLetterStore, count: number): Promise<DeadLetter[]> => {
    const letters = Array.from({ length: count }, () => newLetter());
    for (const letter of letters) await store.put(letter);
    return letters;
  };
  /** A client of a user that may only do what is said. */
  const userWith = async (name: Package, ...rules: readonly string[]): Promise<TestClient> => {
    await redis.admin.call('ACL', 'SETUSER', 'bare', 'reset', 'on', '>pw', '~*', '-@all', '+ping', ...rules);
    return connect(name, `redis://bare:pw@127.0.0.1:${redis.port}`);
  };
  const SCRIPTS = [
    ...['+eval', '+evalsha', '+time', '+xadd', '+xdel', '+xlen', '+xrange'],
    ...['+hget', '+hset', '+hdel', '+hlen', '+hgetall', '+hincrby'],
    ...['+zadd', '+zrem', '+zcard', '+zrangebylex', '+zrangebyscore'],
  ];

  describe.each(PACKAGES)('that may lose letters, by %s', name => {
    let emit: jest.SpyInstance;
    const said = (): readonly unknown[] => emit.mock.calls.map(([words]) => words as unknown);
    beforeEach(() => {
      emit = jest.spyOn(process, 'emitWarning').mockReturnValue();
    });
    afterEach(async () => {
      emit.mockRestore();
      await redis.admin.config('SET', 'appendonly', 'yes');
      await redis.admin.config('SET', 'appendfsync', 'always');
      await redis.admin.config('SET', 'no-appendfsync-on-rewrite', 'no');
      await redis.admin.config('SET', 'maxmemory-policy', 'noeviction');
    });

    it.each([
      ['appendonly', 'no'],
      ['appendfsync', 'everysec'],
      ['appendfsync', 'no'],
      ['no-appendfsync-on-rewrite', 'yes'],
      ['maxmemory-policy', 'allkeys-lru'],
    ])('with %s %s, is refused, until that is put right; or warned of, once', async (setting, value) => {
      const good = await redis.admin.config('GET', setting);
      await redis.admin.config('SET', setting, value);
      const store = emptyStore(clientOf(name));
      await expect(store.put(newLetter())).rejects.toMatchObject({
        name: 'RedisNotDurableError',
        code: 'ERR_DEAD_LETTER_STORE_NOT_DURABLE',
        message: expect.stringContaining(`(${setting} is ${value}, `),
      });
      expect((await store.stats()).letters).toBe(0);
      const warned = emptyStore(clientOf(name), { durability: 'warn' });
      await putSome(warned, 2);
      expect(said()).toEqual([expect.stringContaining(`${setting} is ${value}, `)]);
      await redis.admin.config('SET', setting, (good as string[])[1] as string);
      await expect(store.put(newLetter())).resolves.toMatchObject({ outcome: 'stored' });
    });

    it('is told from what it says of itself where its configuration is forbidden, and what it keeps to itself is said', async () => {
      const client = await userWith(name, ...SCRIPTS, '+info');
      await putSome(emptyStore(client.redis), 2);
      expect(said()).toEqual([expect.stringContaining('does not tell whether it has appendfsync always')]);
      await redis.admin.config('SET', 'maxmemory-policy', 'allkeys-lfu');
      await expect(emptyStore(client.redis).put(newLetter())).rejects.toThrow(/maxmemory-policy is allkeys-lfu/);
      await redis.admin.config('SET', 'maxmemory-policy', 'noeviction');
      await redis.admin.config('SET', 'appendonly', 'no');
      await expect(emptyStore(client.redis).put(newLetter())).rejects.toThrow(/\(appendonly is no, yes is needed\)/);
      client.end();
    });

    it('is used with a warning where it says nothing at all', async () => {
      const client = await userWith(name, ...SCRIPTS, '-info');
      await putSome(emptyStore(client.redis), 1);
      expect(said()).toHaveLength(1);
      client.end();
    });

    it('is noticed within a minute when it changes', async () => {
      let later = 0;
      // Its methods are those of a class.
      const clock = Object.create(systemClock, {
        now: { value: () => performance.now() + later },
      }) as typeof systemClock;
      const store = emptyStore(clientOf(name), { clock });
      await putSome(store, 1);
      await redis.admin.config('SET', 'appendfsync', 'everysec');
      await putSome(store, 1);
      later = 60_001;
      await expect(store.put(newLetter())).rejects.toThrow(/appendfsync is everysec/);
    });
  });

  it('says that it cannot know where an object of your own only runs scripts', async () => {
    const own = {
      eval: (lua: string, keys: string[], args: string[]) => redis.admin.eval(lua, keys.length, ...keys, ...args),
      evalsha: (sha: string, keys: string[], args: string[]) => redis.admin.evalsha(sha, keys.length, ...keys, ...args),
    };
    const warn = jest.spyOn(process, 'emitWarning').mockReturnValue();
    await putSome(emptyStore(own), 2);
    expect(warn.mock.calls).toHaveLength(1);
    warn.mockRestore();
  });

  describe.each(PACKAGES)('by %s', name => {
    it('needs no more permissions than the documentation names', async () => {
      await redis.admin.call(
        ...(['ACL', 'SETUSER', 'retryscope', 'reset', 'on', '>pw', '~retryscope:*', '-@all', '+ping'] as const),
        ...[...SCRIPTS, '+info', '+config|get'],
      );
      const client = await connect(name, `redis://retryscope:pw@127.0.0.1:${redis.port}`);
      await redis.admin.script('FLUSH');
      const store = new RedisDeadLetterStore({ redis: client.redis });
      await putSome(store, 3);
      await workThrough(store);
      expect(await store.purge({})).toBe(3);
      expect(await redis.admin.keys('retryscope:*')).toContain('retryscope:dead-letters:{letters}');
      client.end();
    });

    it('keeps names with half a surrogate pair, as far as UTF-8 can', async () => {
      const store = emptyStore(clientOf(name));
      const letter = newLetter({
        queue: 'a\ud800b',
        operation: '\udc00',
        error: { type: '\ud800', message: '\ud800' },
      });
      await store.put(letter);
      expect((await store.list({ queue: letter.queue })).letters).toEqual([letter]);
      const [claim] = await store.claim(1, { operations: [letter.operation] }, '\ud800', 1000);
      expect(await store.quarantine(letter.id, claim?.token as string, '\ud800')).toBe(true);
      expect(await store.revive({ queue: letter.queue })).toBe(1);
    });

    it('keeps names of Lua, of Redis and with every character that is none', async () => {
      const store = emptyStore(clientOf(name));
      const hostile = [
        `"..redis.call('FLUSHALL').."`,
        ']]--',
        '\r\n*1\r\n$8\r\nFLUSHALL\r\n',
        ':dead:bytes:',
        '{letters}',
        String.fromCharCode(...Array.from({ length: 32 }, (_, i) => i), 127, 0xfffe, 0xffff),
      ];
      for (const text of hostile) {
        const letter = newLetter({
          queue: text,
          operation: text,
          idempotencyKey: text,
          error: { type: text, message: text },
        });
        await store.put(letter);
        expect(await store.get(letter.id)).toEqual(letter);
        expect(await store.claim(5, { queue: text, operations: [text], errorType: text }, text, 60_000)).toHaveLength(
          1,
        );
      }
      expect((await store.stats()).queues.map(({ queue, claimed }) => [queue, claimed])).toEqual(
        [...hostile].sort().map(text => [text, 1]),
      );
      await expectConsistent(redis.admin, store);
    });

    it('keeps payloads of megabytes, and gives long lists of them', async () => {
      const store = emptyStore(clientOf(name));
      const json = JSON.stringify(['\u2028"\\'.repeat(2 ** 17)]);
      const letters = Array.from({ length: 4 }, () =>
        newLetter({ payload: { kind: 'plain', json, version: 1, bytes: Buffer.byteLength(json), altered: [] } }),
      );
      for (const letter of letters) await store.put(letter);
      expect((await store.list()).letters).toEqual(letters);
      expect(await store.claim(4, {}, 'a', 60_000)).toHaveLength(4);
    });

    it('refuses keys of another type, each of them, and writes nothing then', async () => {
      const store = emptyStore(clientOf(name));
      await putSome(store, 2);
      const keys = storeKeys(store.key.replace('{letters}', ''));
      const dump = async (): Promise<unknown> => Promise.all(keys.map(key => redis.admin.call('DUMP', key)));
      for (const key of keys) {
        await redis.admin.rename(key, 'aside').catch(() => undefined);
        await redis.admin.set(key, 'mine');
        const before = await dump();
        await expect(store.put(newLetter())).rejects.toMatchObject({ name: 'RedisStoreError', code: 'WRONGTYPE' });
        await expect(store.claim(1, {}, 'a', 1000)).rejects.toMatchObject({ code: 'WRONGTYPE' });
        await expect(store.purge({})).rejects.toMatchObject({ code: 'WRONGTYPE' });
        expect(await dump()).toEqual(before);
        await redis.admin.del(key);
        await redis.admin.rename('aside', key).catch(() => undefined);
      }
      await expectConsistent(redis.admin, store);
      expect(await store.purge({})).toBe(2);
    });
  });

  it('shows a letter that is damaged, of a newer version or lost from the stream as far as it can, and never overwrites it', async () => {
    const store = emptyStore(clientOf('ioredis'));
    const letters = await putSome(store, 3);
    const texts = ['{"format": 1, "id"', '{"format": 2, "secrets": "of the future"}', undefined];
    for (const [i, { id }] of letters.entries()) {
      const record = JSON.parse((await redis.admin.hget(`${store.key}:index`, id)) as string);
      await redis.admin.xdel(store.key, record.entry);
      const text = texts[i];
      if (text === undefined) continue;
      record.entry = await redis.admin.xadd(store.key, '*', 'id', id, 'letter', text);
      await redis.admin.hset(`${store.key}:index`, id, JSON.stringify(record));
    }
    const seen = (await store.list()).letters;
    expect(seen.map(({ id, payload }) => [id, 'why' in payload && payload.why])).toEqual([
      [letters[0]?.id, 'damaged'],
      [letters[1]?.id, 'newer_version'],
      [letters[2]?.id, 'damaged'],
    ]);
    for (const { letter, token } of await store.claim(3, {}, 'a', 1000)) {
      expect(await store.quarantine(letter.id, token, 'unreadable')).toBe(true);
    }
    expect((await store.stats()).queues[0]?.quarantined).toBe(3);
    const entries = await redis.admin.xrange(store.key, '-', '+');
    expect(entries.map(([, fields]) => fields[3])).toEqual([texts[0], texts[1], '']);
  });

  it('gives every change of a letter to those who read the stream', async () => {
    const store = emptyStore(clientOf('ioredis'));
    const [letter] = await putSome(store, 1);
    const [entry] = await redis.admin.xrange(store.key, '-', '+');
    expect(entry?.[1].slice(0, 3)).toEqual(['id', letter?.id, 'letter']);
    await workThrough(store);
    const after = await redis.admin.xrange(store.key, `(${entry?.[0]}`, '+');
    expect(after.map(([, fields]) => JSON.parse(fields[3] as string).payload.kind)).toEqual(['omitted']);
  });

  it('does the same as the store in memory, whatever is done in whatever order', async () => {
    for (let seed = 1; seed <= 3; seed++) {
      const random = randomFrom(seed);
      const retention = { maxCount: 12, whenFull: seed % 2 === 0 ? 'drop-oldest' : 'refuse-new' } as const;
      const store = emptyStore(clientOf(seed % 2 === 0 ? 'ioredis' : 'node-redis'), { retention });
      const memory = new MemoryDeadLetterStore({ retention });
      for (let step = 0; step < 100; step++) await takeStep(random, store, memory, step);
      await expectConsistent(redis.admin, store);
    }
  });

  describe('the retention', () => {
    it('makes more room than a letter takes where the limit was lowered, until it holds', async () => {
      const prefix = `many-${process.pid}:`;
      const client = clientOf('node-redis');
      await Promise.all(Array.from({ length: 1200 }, () => emptyStore(client, { keyPrefix: prefix }).put(newLetter())));
      const small = emptyStore(client, { keyPrefix: prefix, retention: { maxCount: 10, whenFull: 'drop-oldest' } });
      const last = Array.from({ length: 6 }, () => newLetter());
      for (const [i, evicted] of [250, 250, 250, 250, 195, 1].entries()) {
        expect(await small.put(last[i] as DeadLetter)).toEqual({ outcome: 'stored', evicted });
        await expectConsistent(redis.admin, small);
      }
      expect((await small.list()).letters.slice(-6)).toEqual(last);
      expect((await small.stats()).letters).toBe(10);
    });

    it('deletes many that are too old, behind some that somebody works on', async () => {
      const old = Date.now() - 86_400_000;
      const keyPrefix = `old-${process.pid}:`;
      const before = emptyStore(clientOf('ioredis'), { keyPrefix });
      await Promise.all(Array.from({ length: 1300 }, () => before.put(newLetter({ diedAt: old }))));
      await before.claim(600, {}, 'a', 60_000);
      const store = emptyStore(clientOf('ioredis'), { keyPrefix, retention: { maxAgeMs: 3_600_000 } });
      expect(await store.expire()).toBe(700);
      expect((await store.stats()).queues[0]).toMatchObject({ dead: 0, claimed: 600 });
      await expectConsistent(redis.admin, store);
    });
  });

  describe.each(PACKAGES)('a queue, by %s', name => {
    const error = new Error('the other side is down');
    const make = (own: { readonly storeTimeoutMs?: number } = {}, client: RedisClient = clientOf(name)) => {
      const lines: string[] = [];
      const store = emptyStore(client, { timeoutMs: 2000 });
      const lastResort = (line: string): void => void lines.push(line);
      const deadLetter = new DeadLetterQueue({ name: 'payments', store, lastResort, ...own });
      const registry = new OperationRegistry();
      const charge = defineOperation('charge_card', (_order: object) => Promise.reject(error), {
        registry,
        deadLetter,
        maxAttempts: 1,
      });
      return { lines, store, deadLetter, charge };
    };

    it('of a server that hangs goes on in time, and stores what waits when that goes on', async () => {
      const { lines, store, deadLetter, charge } = make({ storeTimeoutMs: 100 });
      // By the store itself: a server that is merely slow may need more than the time of the queue.
      await putSome(store, 1);
      await redis.hang();
      const startedAt = performance.now();
      await expect(charge({ order: 1 })).rejects.toBe(error);
      expect(performance.now() - startedAt).toBeLessThan(1000);
      expect([lines.length, deadLetter.waiting, deadLetter.counts.not_stored]).toEqual([1, 1, 1]);
      redis.goOn();
      await until(async () => (await deadLetter.flush()) === 1 || deadLetter.waiting === 0);
      // It had been sent before, and Redis may have kept it then: once all the same.
      expect((await store.list()).letters).toHaveLength(2);
      await deadLetter.close();
    });

    it('of a server without memory gets its own error, and the store can still be emptied', async () => {
      const { lines, store, deadLetter, charge } = make();
      await expect(charge({ order: 0 })).rejects.toBe(error);
      await putSome(store, 5);
      await redis.admin.config('SET', 'maxmemory', '1mb');
      await expect(store.put(newLetter())).rejects.toMatchObject({ code: 'OOM' });
      await expect(charge({ order: 1 })).rejects.toBe(error);
      expect(lines).toHaveLength(1);
      expect(JSON.parse(lines[0] as string)).toMatchObject({ store_error: 'OOM' });
      await workThrough(store);
      expect(await store.purge({ states: ['redriven'] })).toBe(1);
      await redis.admin.config('SET', 'maxmemory', '0');
      expect(await deadLetter.flush()).toBe(1);
      await expectConsistent(redis.admin, store);
      await deadLetter.close();
    });

    it('of a server that was killed goes on at once, and finds all of it when that is back', async () => {
      const { lines, store, deadLetter, charge } = make();
      await expect(charge({ order: 0 })).rejects.toBe(error);
      await redis.kill();
      await until(() => isDown(clientOf(name)));
      const startedAt = performance.now();
      await expect(charge({ order: 1 })).rejects.toBe(error);
      expect(performance.now() - startedAt).toBeLessThan(500);
      expect(JSON.parse(lines[0] as string)).toMatchObject({ store_error: 'NOTCONNECTED' });
      await redis.restart();
      await until(async () => (await deadLetter.flush()) === 1);
      expect((await store.list()).letters).toHaveLength(2);
      await deadLetter.close();
    });
  });

  it('tells nothing of a letter, and no password, in its errors', async () => {
    await redis.admin.call('ACL', 'SETUSER', 'mute', 'reset', 'on', '>tr0ub4dor', '~*', '-@all', '+ping', '+info');
    for (const name of PACKAGES) {
      const client = await connect(name, `redis://mute:tr0ub4dor@127.0.0.1:${redis.port}`);
      const fault: unknown = await emptyStore(client.redis)
        .put(newLetter({ idempotencyKey: 'planted' }))
        .catch((reason: unknown) => reason);
      expect(fault).toMatchObject({ name: 'RedisStoreError', code: 'NOPERM' });
      expect(inspect(fault, { depth: 9, showHidden: true })).not.toMatch(/tr0ub4dor|planted/);
      client.end();
    }
  });

  it('writes no secret of a call to its disk', async () => {
    const planted = 'tr0ub4dor-planted';
    const store = emptyStore(clientOf('ioredis'));
    const error = new Error(`password=${planted}`, { cause: new Error(`https://user:${planted}@host/`) });
    const leaky = defineOperation('leaky', (..._args: unknown[]) => Promise.reject(error), {
      registry: new OperationRegistry(),
      deadLetter: new DeadLetterQueue({ name: 'q', store }),
      maxAttempts: 1,
      idempotencyKey: () => `token=${planted}1`,
    });
    const args = [{ password: planted, nested: [{ url: `https://h/?key=${planted}` }] }, `Bearer ${planted}`];
    await expect(leaky(...args)).rejects.toBe(error);
    expect((await store.stats()).letters).toBe(1);
    const folder = join(redis.folder, 'appendonlydir');
    const files = readdirSync(folder).map(file => readFileSync(join(folder, file), 'latin1'));
    expect(files.join()).toContain(store.key);
    expect(files.join()).not.toContain(planted);
  });
});

describeWithRedis('the store in a cluster of Redis', () => {
  let cluster: OwnCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.end());

  it.each(PACKAGES)('keeps all its keys on one node, and asks every master what it keeps: %s', async name => {
    const { redis, end } = await connectCluster(
      name,
      cluster.nodes.map(({ port }) => port),
    );
    const store = emptyStore(redis);
    await expect(store.put(letterWith({ diedAt: Date.now() }))).rejects.toThrow(/appendonly is no/);
    for (const { admin } of cluster.nodes) {
      await admin.config('SET', 'appendonly', 'yes');
      await admin.config('SET', 'appendfsync', 'always');
    }
    for (let i = 0; i < 4; i++) await store.put(letterWith({ diedAt: Date.now() }));
    await workThrough(store);
    expect((await store.list({ states: ['redriven'] })).letters).toHaveLength(1);
    const master = await cluster.masterOf(store.key);
    await expectConsistent(master.admin, store);
    expect(await store.purge({})).toBe(4);
    for (const { admin } of cluster.nodes) await admin.config('SET', 'appendonly', 'no');
    end();
  });
});

/** Claims, renews, completes, releases and puts aside. */
async function workThrough(store: DeadLetterStore): Promise<void> {
  const [first, second, third] = await store.claim(3, {}, 'a', 60_000);
  if (first === undefined) throw new Error('nothing to claim');
  expect(await store.renew(first.letter.id, first.token, 60_000)).toBe(true);
  expect(await store.complete(first.letter.id, first.token)).toBe(true);
  if (second !== undefined) expect(await store.release(second.letter.id, second.token)).toBe(true);
  if (third === undefined) return;
  const error = { type: 'ETIMEDOUT', message: '' };
  const failure = {
    error,
    reason: 'deadline_exceeded',
    failedAt: 1,
    attempts: 1,
    history: [],
    quarantineAfter: 1,
  } as const;
  expect(await store.failAgain(third.letter.id, third.token, failure)).toBe('quarantined');
  expect(await store.revive({})).toBe(1);
}

type Step = readonly unknown[];

/** One thing, done to both stores: what they answer must be the same, but for tokens. */
async function takeStep(
  random: () => number,
  store: DeadLetterStore,
  memory: DeadLetterStore,
  step: number,
): Promise<void> {
  const letter = letterWith({ diedAt: Date.now() - Math.floor(random() * 5), queue: random() < 0.5 ? 'a' : 'b' });
  const choice = Math.floor(random() * 8);
  const [filter, isPurged] = [random() < 0.5 ? {} : { queue: 'a' }, random() < 0.1];
  const both = [store, memory] as const;
  const results = await Promise.all(
    both.map(async (one): Promise<Step> => {
      const [claim] = choice > 1 && choice < 6 ? await one.claim(1, filter, `owner ${step}`, 60_000) : [];
      const [id, token] = [claim?.letter.id ?? 'none', claim?.token ?? 'none'];
      const error = { type: 'E', message: '' };
      const failure = { error, reason: 'aborted', failedAt: 1, attempts: 1, history: [], quarantineAfter: 2 } as const;
      if (choice < 2) return [await one.put(letter).catch((fault: Error) => fault.message)];
      if (choice === 2) return [id, await one.complete(id, token)];
      if (choice === 3) return [id, await one.failAgain(id, token, failure)];
      if (choice === 4) return [id, await one.release(id, token)];
      if (choice === 5) return [id];
      if (choice === 6) return [await one.revive(filter)];
      return isPurged ? [await one.purge({ states: ['quarantined'] })] : [];
    }),
  );
  expect(results[0]).toEqual(results[1]);
  const seen = await Promise.all(both.map(async one => [await one.list(), await one.stats()] as const));
  const timeless = JSON.stringify(seen[0]).replaceAll(/"(at|until)":\d+/g, '');
  expect(timeless).toBe(JSON.stringify(seen[1]).replaceAll(/"(at|until)":\d+/g, ''));
}

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function isDown(client: RedisClient): boolean {
  const { status, isReady } = client as unknown as Pick<Redis, 'status'> & { readonly isReady?: boolean };
  return isReady === false || (isReady === undefined && status !== 'ready');
}
