import { RedisBudget } from '../../src/limits/redis/index.ts';
import { connectCluster, PACKAGES } from './support/clients.ts';
import { keyOf, readLedger } from './support/fleet.ts';
import { describeWithRedis } from './support/needs-redis.ts';
import { type OwnCluster, startCluster } from './support/redis-cluster.ts';
import type { OwnRedis } from './support/redis-server.ts';
import { until } from './support/until.ts';

// Six servers and a failover, on machines that may be busy.
jest.setTimeout(180_000);

describeWithRedis('a cluster', () => {
  let cluster: OwnCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.end());

  it('P5: a failover gives nothing away and nobody notices', async () => {
    const rate = 20;
    const ports = cluster.nodes.map(({ port }) => port);
    const name = 'failover';
    const clients = await Promise.all(PACKAGES.map(client => connectCluster(client, ports)));
    const budgets = clients.map(
      ({ redis }) => new RedisBudget({ name, redis, capacity: 100, ratePerSecond: rate, expectedInstances: 2 }),
    );
    const master = await cluster.masterOf(keyOf(name));
    let spentShared = 0;
    let longestMs = 0;
    let isOver = false;
    const use = async (budget: RedisBudget): Promise<void> => {
      while (!isOver) {
        const startedAt = performance.now();
        const isShared = budget.mode === 'shared';
        if ((await budget.tryWithdraw()) !== undefined && isShared && budget.mode === 'shared') spentShared++;
        longestMs = Math.max(longestMs, performance.now() - startedAt);
        await new Promise(resolve => setTimeout(resolve, 1));
      }
    };
    const users = budgets.map(use);
    let birth = 0;
    let heir = master;
    try {
      await until(async () => (await readLedger(master.admin, name)).granted > 60);
      ({ birth } = await readLedger(master.admin, name));
      await reachReplica(master, `${keyOf(name)}:mark`);
      await master.kill();
      await until(() => budgets.every(({ mode }) => mode === 'degraded'));
      await until(() => budgets.every(({ mode }) => mode === 'shared'));
      heir = await cluster.masterOf(keyOf(name));
      const { granted } = await readLedger(heir.admin, name);
      await until(async () => (await readLedger(heir.admin, name)).granted > granted + 10);
    } finally {
      // Also where it fails, or the process would never end.
      isOver = true;
      await Promise.all(users);
      for (const budget of budgets) budget.close();
      for (const client of clients) client.end();
    }
    const ledger = await readLedger(heir.admin, name);
    expect(ledger.birth).toBe(birth);
    expect(ledger.granted).toBeLessThanOrEqual(50 + ((ledger.at - ledger.birth) / 1000) * rate + 0.001);
    expect(spentShared).toBeLessThanOrEqual(ledger.granted);
  });
});

/**
 * Waits until the replica has all that was written so far; what comes after may be lost in the failover. A master holds its
 * commands back for up to a second after the first copy: a replica that was never told of the budget is no failover of it.
 */
async function reachReplica({ admin }: OwnRedis, key: string): Promise<void> {
  await admin.set(key, '');
  await until(async () => (await admin.wait(1, 1000)) === 1);
}
