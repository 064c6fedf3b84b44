import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { retrySummary } from 'retryscope/core';
import {
  type CommandClient,
  isRepeatable,
  REDIS_CLIENT_OPTIONS,
  type RedisRetryOptions,
  retryCommand,
  retryRedis,
} from '../../src/services/redis/index.ts';
import { describeWithRedis } from '../redis/support/needs-redis.ts';
import { type OwnRedis, startRedis } from '../redis/support/redis-server.ts';
import { until } from '../redis/support/until.ts';
import { outcomeOf } from '../support/settle.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';

// Real servers on real time, on machines that may be busy.
jest.setTimeout(60_000);

type Package = 'ioredis' | 'node-redis';
const PACKAGES: readonly Package[] = ['ioredis', 'node-redis'];

/** Patient enough for a server that starts on a busy machine. */
const PATIENT: RedisRetryOptions<never> = { initialDelay: 20, maxDelay: 100, maxAttempts: 300, budget: 'none' };

/** A server that loads says so after each kilobyte. */
const LOADING_ANSWERS = ['--loading-process-events-interval-bytes', '1024'];

/** What the keys hold before each of {@link TWICE}. */
const BEFORE: readonly [string, ...string[]][] = [
  ['SET', 'text', 'abc'],
  ['SET', 'short', 'abc', 'PX', '90000000'],
  ['RPUSH', 'list', 'a', 'b', 'a'],
  ['HSET', 'hash', 'a', '1', 'b', '2'],
  ['SADD', 'set', 'a', 'b'],
  ['SADD', 'other', 'c'],
  ['ZADD', 'sorted', '1', 'a', '2', 'b'],
  ['XADD', 'stream', '1-1', 'a', '1'],
  ['XGROUP', 'CREATE', 'stream', 'group', '0'],
  ['XREADGROUP', 'GROUP', 'group', 'me', 'STREAMS', 'stream', '>'],
];

/** Every write that may be repeated, with arguments that change something the first time. */
const TWICE: Readonly<Record<string, readonly string[]>> = {
  del: ['text'],
  expire: ['text', '90000'],
  expireat: ['text', '4000000000'],
  geoadd: ['places', '13.4', '52.5', 'berlin'],
  getex: ['text', 'PXAT', '4000000000000'],
  hdel: ['hash', 'a'],
  hmset: ['hash', 'c', '3'],
  hset: ['hash', 'c', '3'],
  lset: ['list', '0', 'c'],
  mset: ['text', 'def', 'more', 'x'],
  persist: ['short'],
  pexpire: ['text', '90000000'],
  pexpireat: ['text', '4000000000000'],
  pfadd: ['visitors', 'a', 'b'],
  pfmerge: ['visitors', 'nobody'],
  psetex: ['text', '90000000', 'def'],
  sadd: ['set', 'c'],
  set: ['text', 'def'],
  setbit: ['text', '6', '1'],
  setex: ['text', '90000', 'def'],
  setrange: ['text', '1', 'xyz'],
  srem: ['set', 'a'],
  sunionstore: ['set', 'set', 'other'],
  unlink: ['text'],
  xack: ['stream', 'group', '1-1'],
  xdel: ['stream', '1-1'],
  zadd: ['sorted', '7', 'a'],
  zrem: ['sorted', 'a'],
  zremrangebylex: ['sorted', '[a', '[a'],
  zremrangebyscore: ['sorted', '0', '1'],
};
/** What it changes does not show in the digest of the data. */
const NO_TRACE = 'xack';

interface TestClient {
  readonly client: CommandClient;
  readonly isReady: () => boolean;
  readonly end: () => void;
}

/** A client that leaves retries to the policy, as {@link REDIS_CLIENT_OPTIONS} has it. */
async function connect(name: Package, port: number): Promise<TestClient> {
  if (name === 'ioredis') {
    const redis = new Redis({
      port,
      host: '127.0.0.1',
      retryStrategy: () => 20,
      enableReadyCheck: false,
      ...REDIS_CLIENT_OPTIONS.ioredis,
    });
    redis.on('error', () => undefined);
    const isReady = (): boolean => redis.status === 'ready';
    await until(isReady);
    return { client: redis, isReady, end: () => redis.disconnect() };
  }
  const redis = createClient({
    socket: { port, host: '127.0.0.1', reconnectStrategy: () => 20 },
    ...REDIS_CLIENT_OPTIONS.nodeRedis,
  });
  redis.on('error', () => undefined);
  await redis.connect();
  return { client: redis, isReady: () => redis.isReady, end: () => redis.destroy() };
}

describeWithRedis('retryscope/redis with a real server', () => {
  let redis: OwnRedis;
  let proxy: FaultProxy;
  const ends: (() => unknown)[] = [];

  beforeAll(async () => {
    redis = await startRedis('--enable-debug-command', 'yes');
    proxy = await startFaultProxy({ to: { port: redis.port } });
  });
  afterAll(async () => {
    await proxy?.end();
    await redis?.end();
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
    proxy.heal();
  });

  async function client(name: Package, port = redis.port): Promise<TestClient> {
    const connected = await connect(name, port);
    ends.push(connected.end);
    return connected;
  }

  describe.each(PACKAGES)('%s', name => {
    it('reads again when the connection broke before the answer came', async () => {
      await redis.admin.set('greeting', 'hello');
      const { client: own } = await client(name, proxy.port);
      proxy.set({ cutAfterBytes: 1 });
      const attempts: number[] = [];
      const answer = retryCommand<unknown>(own, ['GET', 'greeting'], {
        ...PATIENT,
        onRetry: ({ attempt }) => {
          attempts.push(attempt);
          proxy.heal();
        },
      });
      expect(String(await answer)).toBe('hello');
      expect(attempts.length).toBeGreaterThan(0);
    });

    it('counts once, and says so, when the connection broke before the answer of INCR came', async () => {
      await redis.admin.set('visits', 0);
      const { client: own, isReady } = await client(name, proxy.port);
      proxy.set({ cutAfterBytes: 1 });
      const settled = await outcomeOf(retryCommand(own, ['INCR', 'visits'], PATIENT));
      expect('error' in settled && retrySummary(settled.error)).toMatchObject({ attempts: 1, reason: 'not_retryable' });
      proxy.heal();
      await until(isReady);
      expect(await redis.admin.get('visits')).toBe('1');
    });

    it('waits for a server that was killed and comes back, with INCR as well: it was never sent', async () => {
      const { client: own, isReady } = await client(name);
      await redis.kill();
      await until(() => !isReady());
      const counted = retryCommand(own, ['INCR', 'after'], PATIENT);
      const read = retryCommand(own, ['GET', 'nothing'], PATIENT);
      await redis.restart();
      expect(await counted).toBe(1);
      expect(await read).toBeNull();
      expect(await redis.admin.get('after')).toBe('1');
    });

    it('waits while the server is loading', async () => {
      rmSync(join(redis.folder, 'dump.rdb'), { force: true });
      // Five thousandths of a second for each of the keys that will be there: until the client has seen it loading.
      const slow = await startRedis('--dir', redis.folder, '--key-load-delay', '5000', ...LOADING_ANSWERS);
      ends.push(() => slow.end());
      await redis.admin.flushall();
      const pipeline = redis.admin.pipeline();
      for (let i = 0; i < 2000; i++) pipeline.set(`key-${i}`, 'x'.repeat(500));
      await pipeline.exec();
      await redis.admin.save();
      await slow.kill();
      const back = slow.restart();
      const errors: string[] = [];
      const { client: own } = await client(name, slow.port);
      const quicken = new Redis({
        port: slow.port,
        host: '127.0.0.1',
        enableReadyCheck: false,
        retryStrategy: () => 20,
      });
      quicken.on('error', () => undefined);
      ends.push(() => quicken.disconnect());
      const value = await retryCommand<unknown>(own, ['GET', 'key-1999'], {
        ...PATIENT,
        onRetry: ({ error }) => {
          errors.push(String(error));
          if (String(error).includes('LOADING')) quicken.config('SET', 'key-load-delay', '0').catch(() => undefined);
        },
      });
      expect(String(value)).toHaveLength(500);
      expect(errors.join('\n')).toContain('LOADING');
      await back;
    });

    it('waits until a replica is promoted, for a write that it refused', async () => {
      const replica = await startRedis('--replicaof', `127.0.0.1 ${redis.port}`);
      ends.push(() => replica.end());
      const { client: own } = await client(name, replica.port);
      let refused = 0;
      const write = retryCommand(own, ['LPUSH', 'queue', 'job'], {
        ...PATIENT,
        onRetry: ({ error }) => {
          if (!String(error).includes('READONLY')) return;
          refused++;
          if (refused === 2) replica.admin.replicaof('NO', 'ONE').catch(() => undefined);
        },
      });
      expect(await write).toBe(1);
      expect(refused).toBeGreaterThanOrEqual(2);
    });

    it('does not retry what will not change', async () => {
      await redis.admin.del('list');
      await redis.admin.lpush('list', 'a');
      const { client: own } = await client(name);
      const settled = await outcomeOf(retryCommand(own, ['GET', 'list'], PATIENT));
      expect('error' in settled && retrySummary(settled.error)).toMatchObject({ attempts: 1, reason: 'not_retryable' });
    });

    it('gives up on a server that hangs, and does not repeat what it may still do', async () => {
      const { client: own, isReady } = await client(name);
      await redis.hang();
      const timed = { ...PATIENT, attemptTimeout: 50, maxAttempts: 3 };
      const [read, counted] = await Promise.all([
        outcomeOf(retryCommand(own, ['GET', 'hung'], timed)),
        outcomeOf(retryCommand(own, ['INCR', 'hung'], timed)),
      ]);
      redis.goOn();
      expect('error' in read && retrySummary(read.error)).toMatchObject({ attempts: 3, reason: 'attempts_exhausted' });
      expect('error' in counted && retrySummary(counted.error)).toMatchObject({ attempts: 1, reason: 'not_retryable' });
      await until(async () => isReady() && (await redis.admin.get('hung')) === '1');
    });
  });

  it('leaves alone what ioredis has waited through with its own retries', async () => {
    const own = new Redis({ port: redis.port, host: '127.0.0.1', retryStrategy: () => 10, maxRetriesPerRequest: 2 });
    own.on('error', () => undefined);
    ends.push(() => own.disconnect());
    await until(() => own.status === 'ready');
    await redis.kill();
    const settled = await outcomeOf(retryCommand(own, ['GET', 'a'], PATIENT));
    await redis.restart();
    expect('error' in settled && settled.error).toMatchObject({ name: 'MaxRetriesPerRequestError' });
    expect('error' in settled && retrySummary(settled.error)).toMatchObject({ attempts: 1, reason: 'already_retried' });
  });

  it('retries a transaction as a whole when another client was faster', async () => {
    const own = createClient({ url: redis.url });
    own.on('error', () => undefined);
    await own.connect();
    ends.push(() => own.destroy());
    await redis.admin.set('stock', 5);
    let attempts = 0;
    const takeOne = async (): Promise<number> => {
      attempts++;
      await own.watch('stock');
      const left = Number(await own.get('stock')) - 1;
      if (attempts === 1) await redis.admin.set('stock', 3);
      await own.multi().set('stock', left).exec();
      return left;
    };
    expect(await retryRedis(takeOne, PATIENT)).toBe(2);
    expect(attempts).toBe(2);
  });

  describe('the table of commands', () => {
    it('has no read that the server calls a write', async () => {
      const all = (await redis.admin.call('COMMAND')) as [name: string, arity: number, flags: string[]][];
      const writes = all.filter(([, , flags]) => flags.includes('write')).map(([name]) => name);
      expect(writes.filter(name => isRepeatable([name])).sort()).toEqual(Object.keys(TWICE).sort());
      const reads = (await redis.admin.call('COMMAND', 'LIST', 'FILTERBY', 'ACLCAT', 'read')) as string[];
      expect(reads.filter(name => !name.includes('|') && !isRepeatable([name]))).toEqual([]);
    });

    it.each(Object.entries(TWICE))('%s leaves the same behind the second time', async (name, args) => {
      await redis.admin.flushall();
      for (const command of BEFORE) await redis.admin.call(command[0], ...command.slice(1));
      const digest = async (): Promise<unknown> => redis.admin.call('DEBUG', 'DIGEST');
      const before = await digest();
      await redis.admin.call(name, ...args);
      const once = await digest();
      await redis.admin.call(name, ...args);
      expect(await digest()).toBe(once);
      if (name !== NO_TRACE) expect(once).not.toBe(before);
    });
  });
});
