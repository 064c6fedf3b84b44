import { RedisBudget } from 'retryscope/budget-redis';
import { startRedis } from '../../test/redis/support/redis-server.ts';
import { measureTime } from '../measure.ts';
import { report } from '../section.ts';

const server = await startRedis();
const redis = server.admin;
const leased = new RedisBudget({ name: 'leased', redis, capacity: 1_000_000, ratePerSecond: 1_000_000, leaseSize: 50 });
const exhausted = new RedisBudget({ name: 'exhausted', redis, capacity: 1, ratio: 0.001, expectedInstances: 1 });
while ((await exhausted.tryWithdraw()) !== undefined);

const results = await measureTime(
  [
    { name: 'GET, one round trip', run: () => redis.get('x') },
    { name: 'leased budget', run: async () => leased.tryWithdraw() },
    { name: 'exhausted budget', run: async () => exhausted.tryWithdraw() },
  ],
  { rounds: 15, iterations: 2000 },
);
leased.close();
exhausted.close();
await server.end();

report({
  title: 'Fleet budget on Redis: one decision',
  unit: 'ns',
  results,
  // 5 us against the 50 to 100 us of a round trip on the loopback.
  gates: [
    { contender: 'leased budget', limit: 0.1 },
    { contender: 'exhausted budget', limit: 0.02 },
  ],
});
