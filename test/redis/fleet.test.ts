import { Redis } from 'ioredis';
import { PACKAGES } from './support/clients.ts';
import { type Ledger, readLedger, startWorker, type Worker } from './support/fleet.ts';
import { describeWithRedis } from './support/needs-redis.ts';
import { hasRedisServer, type OwnRedis, startRedis } from './support/redis-server.ts';
import { until } from './support/until.ts';
import type { WorkerOrder } from './support/worker.ts';

// Real processes on a real server, on machines that may be busy.
jest.setTimeout(120_000);

const url = process.env.REDIS_URL;

// The server at REDIS_URL if there is one: these tests only use keys of their own.
describeWithRedis('a fleet of processes', body, () => url !== undefined || hasRedisServer);

function body(): void {
  let own: OwnRedis | undefined;
  let admin: Redis;
  let workers: Worker[] = [];
  let names = 0;

  beforeAll(async () => {
    if (url === undefined) own = await startRedis();
    admin = own?.admin ?? new Redis(url as string);
  });
  afterAll(async () => {
    if (own === undefined) admin.disconnect();
    await own?.end();
  });
  afterEach(async () => {
    await Promise.all(workers.map(worker => worker.kill()));
    workers = [];
  });

  function start(budget: WorkerOrder['budget'], order: Partial<WorkerOrder> = {}): Worker {
    const worker = startWorker({ url: own?.url ?? (url as string), package: 'ioredis', budget, ...order });
    workers.push(worker);
    return worker;
  }

  function newName(): string {
    return `fleet-${process.pid}-${names++}`;
  }

  function bound({ at, birth }: Ledger, capacity: number, ratePerSecond: number): number {
    // Half of the capacity at birth, and then what time brings by the clock of Redis.
    return capacity / 2 + ((at - birth) / 1000) * ratePerSecond;
  }

  async function granted(name: string): Promise<number> {
    return (await readLedger(admin, name)).granted;
  }

  it.each(PACKAGES)(
    'P1, P2: is granted no more than the capacity and the rate allow, and spends no more (%s)',
    async client => {
      const budget = { name: newName(), capacity: 200, ratePerSecond: 50, expectedInstances: 4, leaseSize: 10 };
      for (let i = 0; i < 4; i++) start(budget, { package: client });
      await until(async () => (await granted(budget.name)) > 190);
      expect(await Promise.all(workers.map(worker => worker.stop()))).toEqual([0, 0, 0, 0]);
      const ledger = await readLedger(admin, budget.name);
      const spent = workers.reduce((sum, worker) => sum + worker.spent, 0);
      expect(ledger.granted).toBeLessThanOrEqual(bound(ledger, 200, 50) + 0.001);
      expect(spent).toBeLessThanOrEqual(ledger.granted);
      // What is lost are the leases that were held at the end.
      const alone = workers.reduce((sum, worker) => sum + worker.alone, 0);
      expect(spent + alone).toBeGreaterThan(ledger.granted - 4 * 10 - 1);
    },
  );

  it('P1: neither crashes nor SCRIPT FLUSH nor stamps in the future give more', async () => {
    const budget = { name: newName(), capacity: 100, ratePerSecond: 100, expectedInstances: 4, leaseSize: 5 };
    const key = `retryscope:budget:{${budget.name}}`;
    for (let i = 0; i < 3; i++) start(budget);
    await Promise.all(workers.map(worker => worker.started));
    for (let round = 0; round < 4; round++) {
      const before = await granted(budget.name);
      await workers[round]?.kill();
      await admin.script('FLUSH');
      start(budget, { package: round % 2 === 0 ? 'node-redis' : 'ioredis' });
      await workers.at(-1)?.started;
      // An hour ahead, as after a failover to a server with another clock.
      await admin.hset(key, 'at', (await readLedger(admin, budget.name)).at + 3_600_000);
      await until(async () => (await granted(budget.name)) > before + 10);
    }
    const ledger = await readLedger(admin, budget.name);
    expect(ledger.granted).toBeLessThanOrEqual(bound(ledger, 100, 100) + 0.001);
    expect(await Promise.all(workers.slice(4).map(worker => worker.stop()))).toEqual([0, 0, 0]);
    expect(workers.reduce((sum, worker) => sum + worker.spent, 0)).toBeLessThanOrEqual(await granted(budget.name));
  });

  it('P3: what a process held when it was killed is lost, and no more than a lease', async () => {
    const budget = {
      name: newName(),
      capacity: 1000,
      ratePerSecond: 0.001,
      ratio: 0.1,
      expectedInstances: 1,
      leaseSize: 50,
    };
    // All of it would be gone before a test that gets no turn has seen anything of it.
    const first = start(budget, { most: 300 });
    await until(async () => first.spent > 60 && (await granted(budget.name)) < 500);
    await first.kill();
    const held = (await granted(budget.name)) - first.spent;
    // One lease in hand, and what was spent after the last word that came through.
    expect(held).toBeGreaterThanOrEqual(0);
    expect(held).toBeLessThanOrEqual(150);
    const second = start(budget);
    await until(async () => (await granted(budget.name)) >= 500);
    await until(() => second.spent > 0);
    expect(await second.stop()).toBe(0);
    expect(first.spent + second.spent).toBeLessThanOrEqual(500);
  });

  it('P8: the first of four processes does not take what is for all', async () => {
    const budget = { name: newName(), capacity: 400, ratePerSecond: 20, expectedInstances: 4 };
    const all = Array.from({ length: 4 }, () => start(budget, { isHeld: true }));
    await Promise.all(all.map(({ started }) => started));
    const [first, ...others] = all as [Worker, ...Worker[]];
    first.go();
    await until(() => first.spent > 0);
    for (const worker of others) worker.go();
    await until(async () => (await granted(budget.name)) > 240);
    await Promise.all(workers.map(worker => worker.stop()));
    const spent = workers.map(worker => worker.spent);
    const total = spent.reduce((sum, one) => sum + one, 0);
    // A quarter of what is stored and a second's inflow, while it is alone; without shares it would have nearly all.
    expect(first.spent / total).toBeLessThan(0.5);
    expect(Math.min(...spent)).toBeGreaterThan(0);
  });
}

describeWithRedis('an exhausted budget', () => {
  let redis: OwnRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.end());

  it.each<[string, Partial<WorkerOrder['budget']>]>([
    ['slow', { ratePerSecond: 1 }],
    ['fast', { ratePerSecond: 500 }],
    ['successes only', { ratio: 0.1 }],
  ])('costs at most ten calls a second and process (%s)', async (name, funding) => {
    const order: WorkerOrder = {
      url: redis.url,
      package: 'ioredis',
      budget: { name, capacity: 2, expectedInstances: 2, ...funding },
    };
    const workers = [startWorker(order), startWorker(order)];
    try {
      await Promise.all(workers.map(worker => worker.started));
      await until(async () => (await readLedger(redis.admin, name)).granted >= 1);
      const startedAt = await countAnew();
      let counted = { calls: 0, seconds: 0 };
      await until(async () => {
        counted = await callsSince(startedAt);
        return counted.calls > 0 && counted.seconds > 2;
      });
      expect(counted.calls / counted.seconds / 2).toBeLessThanOrEqual(10);
      expect(await Promise.all(workers.map(worker => worker.stop()))).toEqual([0, 0]);
    } finally {
      await Promise.all(workers.map(worker => worker.kill()));
    }
  });

  // Numbers and times of one moment, by the clock of Redis: the test may get no turn between two looks.

  async function countAnew(): Promise<number> {
    const answers = await redis.admin.multi().config('RESETSTAT').time().exec();
    return secondsOf(answers?.[1]?.[1]);
  }

  async function callsSince(startedAt: number): Promise<{ readonly calls: number; readonly seconds: number }> {
    const answers = await redis.admin.multi().info('commandstats').time().exec();
    const stats = String(answers?.[0]?.[1]);
    const calls = ['evalsha', 'eval'].reduce(
      (sum, command) => sum + Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0),
      0,
    );
    return { calls, seconds: secondsOf(answers?.[1]?.[1]) - startedAt };
  }

  function secondsOf(time: unknown): number {
    const [seconds, micros] = time as [number | string, number | string];
    return Number(seconds) + Number(micros) / 1e6;
  }
});
