import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import {
  DeadLetterQueue,
  defineOperation,
  isHandedOver,
  type OperationContext,
  OperationRegistry,
  operations,
} from '../../../src/recovery/dead-letters/index.ts';
import { SqliteDeadLetterStore } from '../../../src/recovery/dead-letters/sqlite/index.ts';
import { BullmqWaits } from '../../../src/recovery/durable/bullmq/index.ts';
import { PgBossWaits } from '../../../src/recovery/durable/pg-boss/index.ts';
import type { WaitEvent } from '../../../src/recovery/durable/waits-options.ts';
import type { DurableTerms, Order, Said } from './durable-terms.ts';

// A process that defines an operation, makes the calls that it is told of, and runs a worker if it is one. What it does
// it says on standard output, a line of JSON each.

const terms = JSON.parse(process.argv[2] as string) as DurableTerms;
const say = (said: Said): void => void process.stdout.write(`${JSON.stringify(said)}\n`);
const onEvent = ({ event, why }: WaitEvent): void => say({ event, ...(why === undefined ? undefined : { why }) });
const waits = { handOverTimeoutMs: terms.handOverTimeoutMs, onEvent };

const { durable, work } = await (terms.engine === 'bullmq' ? onBullmq(terms.port) : onPgBoss(terms.port));
const store = new SqliteDeadLetterStore({ file: terms.letters, ballastBytes: 0 });

async function charge(this: OperationContext, order: Order): Promise<string> {
  const { number, maxAttempts, delayMs, idempotencyKey, previousError } = this;
  const previous = (previousError as { code?: string } | undefined)?.code;
  say({ attempt: number, maxAttempts, delayMs, key: idempotencyKey, order: order.id, previous });
  if (order.hangsIn === number && terms.mayHang) await new Promise(() => undefined);
  if (order.stopsIn === number && terms.mayStop) {
    shutdown.abort(new Error('SIGTERM'));
    await new Promise(() => undefined);
  }
  if (order.takesMs !== undefined) await pause(order.takesMs);
  if (number <= order.fails) throw Object.assign(new Error('down'), { code: 'ECONNRESET' });
  say({ charged: order.id, key: idempotencyKey });
  return 'charged';
}

const shutdown = new AbortController();
const policy = {
  ...({ maxAttempts: 4, backoff: [10, terms.longMs], jitter: false, maxInProcessDelay: 100 } as const),
  durable,
  signal: shutdown.signal,
  registry: terms.knows === 'everything' ? operations : new OperationRegistry(),
};
const queue = new DeadLetterQueue({ name: 'payments', store });
const chargeCard = defineOperation('charge_card', charge, { ...policy, deadLetter: queue });
const chargeUnkept = defineOperation('charge_unkept', charge, policy);

if (terms.works) await work();
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) void make(JSON.parse(line) as Order);

async function make(order: Order): Promise<void> {
  try {
    say({ order: order.id, value: await (order.unkept === true ? chargeUnkept : chargeCard)(order) });
  } catch (error) {
    const { code, jobId } = error as { code?: string; jobId?: string };
    say({ order: order.id, code, ...(isHandedOver(error) ? { jobId } : undefined) });
  }
}

/** Loads a package from where the test was started: this file may lie elsewhere, as one piece with all that it imports. */
async function load(name: string): Promise<unknown> {
  const { resolve } = createRequire(join(process.cwd(), 'from.js'));
  return await import(pathToFileURL(resolve(name)).href);
}

async function onBullmq(port: number) {
  const { Queue, Worker } = (await load('bullmq')) as typeof import('bullmq');
  const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null, retryStrategy: () => 50 };
  // The options of the queue must not make its jobs run more often than the policy says.
  const jobs = new Queue('long-waits', { connection, defaultJobOptions: { attempts: 5 } });
  jobs.on('error', () => undefined);
  const durable = new BullmqWaits({ queue: jobs, ...waits });
  const work = async (): Promise<void> => {
    const worker = new Worker('long-waits', durable.process, {
      connection,
      concurrency: 5,
      lockDuration: terms.lockMs,
      stalledInterval: 300,
      maxStalledCount: 20,
    });
    worker.on('error', () => undefined);
    await worker.waitUntilReady();
  };
  return { durable, work };
}

async function onPgBoss(port: number) {
  const { PgBoss } = (await load('pg-boss')) as typeof import('pg-boss');
  const boss = new PgBoss({
    connectionString: `postgres://tester@127.0.0.1:${port}/postgres`,
    supervise: terms.works,
    superviseIntervalSeconds: 1,
    monitorIntervalSeconds: 1,
    schedule: false,
  });
  boss.on('error', () => undefined);
  await boss.start();
  await boss.createQueue('long-waits', { expireInSeconds: 3, retryLimit: 20 });
  const durable = new PgBossWaits({ boss, queue: 'long-waits', ...waits });
  const work = async (): Promise<void> => {
    await boss.work('long-waits', { perJobResults: true, pollingIntervalSeconds: 0.5, batchSize: 5 }, durable.process);
  };
  return { durable, work };
}
