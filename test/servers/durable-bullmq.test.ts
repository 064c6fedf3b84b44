import { Queue } from 'bullmq';
import { BullmqWaits } from 'retryscope/durable/bullmq';
import { describeWithRedis } from '../redis/support/needs-redis.ts';
import { type OwnRedis, startRedis } from '../redis/support/redis-server.ts';
import { tellOfDurableWaits } from './durable-story.ts';

// Real servers on real time, on machines that may be busy.
jest.setTimeout(240_000);

describeWithRedis('durable waits on BullMQ, with a real redis-server', () => {
  let redis: OwnRedis;
  let queue: Queue;
  beforeAll(async () => {
    redis = await startRedis('--appendonly', 'yes', '--appendfsync', 'always');
    queue = new Queue('long-waits', {
      connection: { host: '127.0.0.1', port: redis.port, maxRetriesPerRequest: null, retryStrategy: () => 50 },
    });
    queue.on('error', () => undefined);
  });
  afterAll(async () => {
    await queue?.close();
    await redis?.end();
  });

  tellOfDurableWaits({
    engine: 'bullmq',
    port: () => redis.port,
    put: async (data, operation = 'charge_card') => {
      await queue.add(operation, data, { attempts: 3 });
    },
    waiting: async () => (await queue.getDelayed()).map(({ data }) => data as Record<string, unknown>),
    failures: async () => (await queue.getFailed()).map(({ failedReason }) => failedReason ?? ''),
    left: async () => await queue.getJobCountByTypes('waiting', 'delayed', 'active', 'prioritized'),
    empty: () => queue.obliterate({ force: true }),
    stopServer: () => redis.kill(),
    startServer: () => redis.restart(),
  });
});

describe('the options of BullmqWaits', () => {
  const queue = { name: 'long-waits', add: async () => undefined, remove: async () => undefined };

  it('are checked', () => {
    expect(() => new BullmqWaits(undefined as never)).toThrow(TypeError);
    expect(() => new BullmqWaits({} as never)).toThrow('queue is undefined; it must be a Queue of BullMQ');
    expect(() => new BullmqWaits({ queue, handOverTimeoutMs: 0 })).toThrow(RangeError);
    expect(() => new BullmqWaits({ queue, qeue: 1 } as never)).toThrow('did you mean "queue"?');
  });

  it('are what the jobs are added with', async () => {
    const added: unknown[] = [];
    const add = async (...args: unknown[]): Promise<void> => void added.push(args);
    const waits = new BullmqWaits({ queue: { ...queue, add }, removeOnComplete: true });
    const call = {
      ...{ operation: 'charge', version: 1, args: [1], isRestorable: false, error: new Error('x'), attempts: 2 },
      ...{ wait: { delayMs: 1000.5, delaySource: 'backoff' as const }, startedAt: 1, deadline: undefined },
      ...{ idempotencyKey: 'k', source: undefined, before: undefined },
      ...{ history: [], firstFailedAt: 1, failedAt: 2, trace: undefined },
    };
    const taken = await waits.handOver(call, new AbortController().signal);
    const options = { jobId: taken?.jobId, delay: 1001, attempts: 1, removeOnComplete: true };
    expect(added).toEqual([['charge', expect.objectContaining({ format: 1, attempts: 2 }), options]]);
    expect(waits.counts.handed_over).toBe(1);
    // BullMQ gives a signal to functions of three parameters.
    expect(waits.process).toHaveLength(3);
  });
});

describe('a job that a worker of BullmqWaits does not know', () => {
  const queue = { name: 'long-waits', add: async () => undefined, remove: async () => undefined };
  const data = { format: 2 };

  it('is moved to the delayed ones with the token of the worker', async () => {
    const calls: unknown[] = [];
    const job = {
      ...{ id: 'j', data },
      updateData: async (...args: unknown[]): Promise<void> => void calls.push(['updateData', ...args]),
      moveToDelayed: async (...args: unknown[]): Promise<void> => void calls.push(['moveToDelayed', ...args]),
    };
    const startedAt = Date.now();
    await expect(new BullmqWaits({ queue }).process(job, 'token')).rejects.toMatchObject({ name: 'DelayedError' });
    expect(calls).toEqual([
      ['updateData', { format: 2, putBack: 1 }],
      ['moveToDelayed', expect.any(Number), 'token'],
    ]);
    const delayMs = ((calls[1] as [string, number])[1] as number) - startedAt;
    expect(delayMs).toBeGreaterThanOrEqual(5000);
    expect(delayMs).toBeLessThan(5000 + Date.now() - startedAt + 1);
  });

  it('is left for BullMQ to find where that fails', async () => {
    const updateData = () => Promise.reject(new Error('Missing lock'));
    const job = { id: 'j', data, updateData, moveToDelayed: updateData };
    await expect(new BullmqWaits({ queue }).process(job, 'token')).rejects.toMatchObject({ name: 'DelayedError' });
  });

  it('fails for good where it is not ours', async () => {
    const updateData = async () => undefined;
    const job = { id: 'j', data: 'of somebody else', updateData, moveToDelayed: updateData };
    const refused = { name: 'UnrecoverableError', message: 'The job is refused: the job is no object' };
    await expect(new BullmqWaits({ queue }).process(job, 'token')).rejects.toMatchObject(refused);
  });
});
