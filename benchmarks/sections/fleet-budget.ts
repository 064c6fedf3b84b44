import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { RedisBudget } from 'retryscope/budget-redis';
import { answerOf } from '../answer-of.ts';
import { freePort } from '../free-port.ts';
import { measureTime } from '../measure.ts';
import { report } from '../section.ts';

const port = await freePort();
const folder = mkdtempSync(join(tmpdir(), 'redis-bench-'));
const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
const server = spawn('redis-server', settings, { stdio: 'ignore' });
// Also where something goes wrong.
process.once('exit', () => server.kill('SIGKILL'));
const redis = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20 });
redis.on('error', () => undefined);
// By itself ioredis waits less than half a second for a server.
await answerOf(() => redis.ping());
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
redis.disconnect();
server.kill('SIGKILL');
await once(server, 'exit');
rmSync(folder, { recursive: true, force: true });

report({
  title: 'Fleet budget on Redis: one decision',
  unit: 'ns',
  results,
  // 5 us against the 25 to 100 us of a round trip on the loopback.
  gates: [
    { contender: 'leased budget', limit: 0.2 },
    { contender: 'exhausted budget', limit: 0.02 },
  ],
});
