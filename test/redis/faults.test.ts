import { retry } from 'retryscope/core';
import { RedisBudget, type RedisBudgetOptions } from '../../src/limits/redis/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { connect, PACKAGES, type TestClient } from './support/clients.ts';
import { keyOf, readLedger } from './support/fleet.ts';
import { describeWithRedis } from './support/needs-redis.ts';
import { type OwnRedis, startRedis } from './support/redis-server.ts';
import { until } from './support/until.ts';

// Real servers on real time, on machines that may be busy.
jest.setTimeout(120_000);

describeWithRedis('faults of Redis', () => {
  let redis: OwnRedis;
  let ends: (() => unknown)[] = [];
  let names = 0;

  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.end());
  afterEach(() => {
    for (const end of ends) end();
    ends = [];
  });

  async function make(client: TestClient, settings: Partial<RedisBudgetOptions> = {}): Promise<RedisBudget> {
    const name = `faults-${names++}`;
    const budget = new RedisBudget({
      name,
      redis: client.redis,
      capacity: 100,
      ratePerSecond: 100,
      expectedInstances: 10,
      ...settings,
    });
    ends.push(() => budget.close());
    return budget;
  }

  async function client(name: (typeof PACKAGES)[number] = 'ioredis', url: string = redis.url): Promise<TestClient> {
    const connected = await connect(name, url);
    ends.push(() => connected.end());
    return connected;
  }

  /** Asks until Redis has granted something, so that nothing of the start is left. */
  async function warmUp(budget: RedisBudget): Promise<void> {
    await until(async () => (await budget.tryWithdraw()) === 1 && budget.mode === 'shared');
  }

  /** Uses up the lease, so that the next retry has to ask; then until the budget is on its own. */
  async function askUntilDegraded(budget: RedisBudget): Promise<void> {
    await until(async () => {
      await budget.tryWithdraw();
      return budget.mode === 'degraded';
    });
  }

  /** As above, and by this fault: where an answer came late, it is only seen when Redis is asked again. */
  async function askUntilFault(budget: RedisBudget, ...faults: readonly string[]): Promise<void> {
    await until(async () => {
      await budget.tryWithdraw();
      return budget.fault !== undefined && faults.includes(budget.fault);
    });
  }

  /** Nothing has to be waited for, and now and then a retry is granted. */
  async function expectLocalAnswers(budget: RedisBudget): Promise<void> {
    let [granted, waited] = [0, 0];
    await until(() => {
      const answer = budget.tryWithdraw();
      if (answer instanceof Promise) waited++;
      else if (answer !== undefined) granted++;
      return granted >= 15;
    });
    expect(waited).toBe(0);
    expect(budget.mode).toBe('degraded');
  }

  describe.each(PACKAGES)('%s', name => {
    it('P7: hung: one retry waits for the time-out, the others for nothing, and it is shared again afterwards', async () => {
      const budget = await make(await client(name));
      await warmUp(budget);
      const before = await readLedger(redis.admin, budget.name);
      await redis.hang();
      try {
        await askUntilDegraded(budget);
        expect(budget.fault).toBe('ETIMEDOUT');
        await expectLocalAnswers(budget);
      } finally {
        redis.goOn();
      }
      await until(() => budget.mode === 'shared');
      await warmUp(budget);
      const after = await readLedger(redis.admin, budget.name);
      expect(after.granted - before.granted).toBeLessThanOrEqual(((after.at - before.at) / 1000) * 100 + before.tokens);
    });

    it('P7: killed, and P6: started again without its data: half, and shared again', async () => {
      const budget = await make(await client(name), { ratePerSecond: 1 });
      await warmUp(budget);
      await redis.kill();
      await askUntilDegraded(budget);
      let granted = 0;
      for (let i = 0; i < 1000; i++) {
        const answer = budget.tryWithdraw();
        expect(answer).not.toBeInstanceOf(Promise);
        if (answer !== undefined) granted++;
      }
      expect(granted).toBeLessThanOrEqual(12);
      await redis.restart();
      await until(() => budget.mode === 'shared');
      const { tokens } = await readLedger(redis.admin, budget.name);
      expect(tokens).toBeGreaterThanOrEqual(49);
      expect(tokens).toBeLessThan(60);
      await warmUp(budget);
    });

    it('P4: what was asked for in vain is not granted later', async () => {
      const budget = await make(await client(name), { ratePerSecond: 0.001, ratio: 1, leaseSize: 5 });
      await warmUp(budget);
      await warmUp(budget);
      const before = await readLedger(redis.admin, budget.name);
      await redis.hang();
      await askUntilDegraded(budget);
      // Up to the time-out itself an answer would still have been good.
      await new Promise(resolve => setTimeout(resolve, 10));
      redis.goOn();
      await until(() => budget.mode === 'shared');
      const after = await readLedger(redis.admin, budget.name);
      expect(after.granted).toBe(before.granted);
    });

    it('SCRIPT FLUSH is not noticed', async () => {
      const budget = await make(await client(name), { leaseSize: 1 });
      let seen: unknown;
      await until(async () => {
        await warmUp(budget);
        await redis.admin.script('FLUSH');
        await until(async () => (await budget.tryWithdraw()) === 1);
        seen = [budget.mode, budget.fault];
        // An answer that came late on a busy machine tells nothing of the flush.
        return budget.fault !== 'ETIMEDOUT';
      });
      expect(seen).toEqual(['shared', undefined]);
    });

    it('out of memory', async () => {
      const budget = await make(await client(name));
      await warmUp(budget);
      await redis.admin.config('SET', 'maxmemory-policy', 'noeviction');
      await redis.admin.config('SET', 'maxmemory', '1mb');
      try {
        await until(
          async () =>
            (await redis.admin.set(`fill-${Math.random()}`, 'x'.repeat(100_000)).catch(() => 'full')) === 'full',
        );
        await askUntilFault(budget, 'OOM');
        await expectLocalAnswers(budget);
      } finally {
        await redis.admin.config('SET', 'maxmemory', '0');
        await redis.admin.flushall();
      }
      await until(() => budget.mode === 'shared');
    });

    it('a key of the wrong type', async () => {
      const budget = await make(await client(name));
      await redis.admin.set(keyOf(budget.name), 'mine');
      await askUntilFault(budget, 'WRONGTYPE');
      await expectLocalAnswers(budget);
      await redis.admin.del(keyOf(budget.name));
      await until(() => budget.mode === 'shared');
    });

    it('a user without the permission', async () => {
      await redis.admin.call(
        'ACL',
        'SETUSER',
        'bare',
        'on',
        '>pw',
        '~*',
        '-@all',
        '+info',
        '+ping',
        '+evalsha',
        '+eval',
      );
      const budget = await make(await client(name, `redis://bare:pw@127.0.0.1:${redis.port}`));
      // Redis 6 names the script's own fault first, Redis 7 what was behind it.
      await askUntilFault(budget, 'NOPERM', 'ERR');
      await expectLocalAnswers(budget);
    });

    it('the recipe of the documentation is permission enough', async () => {
      await redis.admin.call(
        ...([
          'ACL',
          'SETUSER',
          'retryscope',
          'on',
          '>pw',
          'resetkeys',
          '~retryscope:*',
          'resetchannels',
          '-@all',
        ] as const),
        ...['+eval', '+evalsha', '+time', '+hmget', '+hset', '+pexpire', '+ping', '+info'],
      );
      const budget = await make(await client(name, `redis://retryscope:pw@127.0.0.1:${redis.port}`));
      await redis.admin.script('FLUSH');
      await warmUp(budget);
      const elsewhere = await make(await client(name, `redis://retryscope:pw@127.0.0.1:${redis.port}`), {
        keyPrefix: 'other:',
      });
      await askUntilFault(elsewhere, 'NOPERM');
    });
  });

  it('a client that is not connected is not waited for', async () => {
    const name = await client('ioredis');
    // For a budget that waits, no time would ever pass.
    const clock = new FakeClock();
    const budget = await make(name, { clock });
    expect(await budget.tryWithdraw()).toBe(1);
    expect(budget.mode).toBe('shared');
    await redis.kill();
    await until(() => (name.redis as unknown as { status: string }).status !== 'ready');
    await askUntilDegraded(budget);
    expect(budget.fault).toBe('NOTCONNECTED');
    expect(clock.elapsed).toBe(0);
    await redis.restart();
  });

  it('no call of the user ends otherwise, whatever Redis does', async () => {
    const budget = await make(await client());
    const error = new Error('the other side');
    const outcomes = new Set<unknown>();
    const rejections: unknown[] = [];
    const note = (reason: unknown): unknown => rejections.push(reason);
    process.on('unhandledRejection', note);
    const calls = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        const call = retry(() => Promise.reject(error), {
          budget,
          initialDelay: 1,
          jitter: false,
          retryOn: () => true,
        });
        outcomes.add(await call.catch((reason: unknown) => reason));
      }
    };
    await calls();
    await redis.hang();
    await calls();
    redis.goOn();
    await calls();
    await redis.kill();
    await calls();
    await redis.restart();
    await calls();
    await until(() => budget.mode === 'shared');
    process.removeListener('unhandledRejection', note);
    expect([[...outcomes], rejections]).toEqual([[error], []]);
  });

  it('P6: what a Redis has forgotten that came back with older data is taken off again', async () => {
    const budget = await make(await client(), { ratePerSecond: 0.001, ratio: 1, leaseSize: 1, expectedInstances: 1 });
    await warmUp(budget);
    const older = await redis.admin.hgetall(keyOf(budget.name));
    for (let i = 0; i < 10; i++) await warmUp(budget);
    const before = await readLedger(redis.admin, budget.name);
    await redis.admin.hset(keyOf(budget.name), older);
    await warmUp(budget);
    const after = await readLedger(redis.admin, budget.name);
    expect(after.granted - before.granted).toBeGreaterThanOrEqual(1);
    expect(after.tokens).toBeCloseTo(before.tokens - (after.granted - before.granted), 1);
  });
});
