import { once } from 'node:events';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { RedisBudget, type RedisBudgetOptions, type RedisClient } from '../../../src/limits/redis/index.ts';

// A process of the fleet: retries as fast as it can, and writes how many it has made after every turn of its loop.

export interface WorkerOrder {
  readonly url: string;
  readonly package: 'ioredis' | 'node-redis';
  /** Connects, and begins with the first line of its input. */
  readonly isHeld?: boolean;
  /** Stands still once Redis has granted it as many. */
  readonly most?: number;
  readonly budget: Omit<RedisBudgetOptions, 'redis' | 'clock'>;
}

const order = JSON.parse(process.argv[2] as string) as WorkerOrder;
const { redis, end } = await connect();
const budget = new RedisBudget({ ...order.budget, redis });
let isStopping = false;
process.once('SIGTERM', () => {
  isStopping = true;
});
process.on('unhandledRejection', () => process.exit(70));
process.stdout.write('0 0\n');
if (order.isHeld === true) {
  await once(process.stdin, 'data');
  process.stdin.destroy();
}
/** What Redis granted; and what may have come from the bucket of this process, since Redis was slow or away. */
let [spent, alone] = [0, 0];
let longestMs = 0;
while (!isStopping) {
  for (let i = 0; i < 100 && spent < (order.most ?? Infinity); i++) {
    const startedAt = performance.now();
    const wasShared = budget.mode === 'shared';
    const answer = budget.tryWithdraw();
    if ((typeof answer === 'object' ? await answer : answer) !== undefined) {
      if (wasShared && budget.mode === 'shared') spent++;
      else alone++;
    }
    longestMs = Math.max(longestMs, performance.now() - startedAt);
  }
  process.stdout.write(`${spent} ${alone}\n`);
  await new Promise(resolve => setTimeout(resolve, 2));
}
budget.close();
end();
process.stdout.write(`${JSON.stringify({ spent, alone, longestMs, mode: budget.mode })}\n`);

async function connect(): Promise<{ redis: RedisClient; end: () => void }> {
  if (order.package === 'ioredis') {
    const client = new Redis(order.url, { retryStrategy: () => 20 });
    client.on('error', () => undefined);
    await new Promise(resolve => client.once('ready', resolve));
    return { redis: client, end: () => client.disconnect() };
  }
  const client = createClient({ url: order.url, socket: { reconnectStrategy: () => 20 } });
  client.on('error', () => undefined);
  await client.connect();
  return { redis: client, end: () => client.destroy() };
}
