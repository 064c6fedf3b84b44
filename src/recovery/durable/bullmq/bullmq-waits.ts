import { type Check, checkOptions, ofType, withFunctions } from '../../../engine/option-checks.ts';
import { read } from '../../../engine/read.ts';
import { systemClock } from '../../../engine/system-clock.ts';
import type { TakenCall, WaitingCall, WaitKeeper } from '../../dead-letters/wait-keeper.ts';
import { DurableCalls } from '../durable-calls.ts';
import { failureOf, type JobResult } from '../job-result.ts';
import { checkWaitsOptions, type WaitCounts, type WaitsOptions } from '../waits-options.ts';

/** What is asked of a `Queue` of BullMQ. */
export interface BullmqQueue {
  readonly name: string;
  add(name: string, data: object, options: BullmqJobOptions): Promise<unknown>;
  remove(jobId: string): Promise<unknown>;
}

/** The options of a job that are set here. */
export interface BullmqJobOptions {
  readonly jobId: string;
  /** Milliseconds. */
  readonly delay: number;
  readonly attempts: number;
  readonly removeOnComplete: boolean | number | BullmqKeepJobs;
}

/** Jobs younger than `age` seconds, and the latest `count` of them. */
export type BullmqKeepJobs = { age: number; count?: number } | { count: number };

/** What is asked of a `Job` of BullMQ. */
export interface BullmqJob {
  readonly id?: string | undefined;
  readonly data: unknown;
  updateData(data: object): Promise<unknown>;
  /** `timestamp` in milliseconds since 1970. */
  moveToDelayed(timestamp: number, token?: string): Promise<unknown>;
}

/** The options of {@link BullmqWaits}. */
export interface BullmqWaitsOptions extends WaitsOptions {
  /** A `Queue` for these calls alone. It stays the caller's to close. */
  readonly queue: BullmqQueue;
  /**
   * How long jobs that are done with stay in Redis, as BullMQ has it. Default: the latest 1000 of the last hour. At least a
   * few minutes are needed for a worker that has died not to hand a call on twice.
   */
  readonly removeOnComplete?: BullmqJobOptions['removeOnComplete'];
}

/**
 * Keeps calls over long waits as delayed jobs of BullMQ; see `durable` of `defineOperation`. Every process that may go on
 * with them defines the operations and runs a worker.
 *
 * At least once: a worker that dies is noticed by BullMQ as stalled (`stalledInterval`, 30 s), and the job is run again from
 * the same attempt with the same idempotency key; after `maxStalledCount` of that it fails. Redis keeps what it has
 * acknowledged only with `appendonly yes` and `appendfsync always`.
 *
 * A worker that does not know the operation, its version or the key, and one whose job is cancelled or whose operation's
 * `signal` has aborted, puts the job back: it is delayed until a worker that can takes it, first by 5 s, then ever more, up to
 * 5 min. After 300 times, about a day, its call becomes a dead letter.
 *
 * A job fails, and stays in the set of failed jobs, when it is refused, or when its call is given up, and no queue of dead
 * letters has taken it. BullMQ never retries it by itself.
 *
 * @example
 * ```ts
 * const waits = new BullmqWaits({ queue: new Queue('long-waits', { connection }) });
 * const chargeCard = defineOperation('charge_card', charge, { maxAttempts: 5, maxDelay: 3_600_000, durable: waits });
 * const worker = new Worker('long-waits', waits.process, { connection });
 * ```
 */
export class BullmqWaits implements WaitKeeper {
  readonly #calls: DurableCalls;
  /** What a `Worker` runs. */
  readonly process: (job: BullmqJob, token?: string, signal?: AbortSignal) => Promise<JobResult>;

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: BullmqWaitsOptions) {
    checkWaitsOptions('the options of BullmqWaits', options, CHECKS);
    CHECKS.queue('queue', options.queue);
    const { queue, removeOnComplete = { age: 3600, count: 1000 }, ...common } = options;
    this.#calls = new DurableCalls(
      {
        queue: queue.name,
        // One attempt: the policy of the operation retries, and nobody else.
        add: (jobId, operation, data, delayMs) =>
          queue.add(operation, data, { jobId, delay: Math.ceil(delayMs), attempts: 1, removeOnComplete }),
        remove: jobId => queue.remove(jobId),
      },
      common,
    );
    // BullMQ counts the parameters to see whether a signal is wanted.
    this.process = async (job, token, signal) => {
      const putBack = async (data: object, delayMs: number): Promise<void> => {
        await job.updateData(data);
        await job.moveToDelayed(systemClock.wallNow() + delayMs, token);
      };
      const result = await this.#calls.run(read(job, 'data'), String(read(job, 'id')), signal, putBack);
      if (result.outcome === 'put_back') throw delayed(result.why);
      const failure = failureOf(result);
      // One that could not be put back is left as by a worker that has died, and found to be stalled.
      if (failure !== undefined) throw result.outcome === 'aborted' ? delayed(failure) : unrecoverable(failure);
      return result;
    };
  }

  /** What has happened in this process. */
  get counts(): Readonly<WaitCounts> {
    return this.#calls.counts;
  }

  handOver(call: WaitingCall, signal: AbortSignal): Promise<TakenCall | undefined> {
    return this.#calls.handOver(call, signal);
  }
}

const CHECKS: Readonly<Record<'queue' | 'removeOnComplete', Check>> = {
  queue: (name, value) => {
    withFunctions('a Queue of BullMQ', 'add', 'remove')(name, value);
    checkOptions('the name of the queue', { name: read(value, 'name') }, { name: QUEUE_NAME });
  },
  removeOnComplete: ofType('what BullMQ takes', v => ['boolean', 'number', 'object'].includes(typeof v)),
};

const QUEUE_NAME: Check = ofType('a string', v => typeof v === 'string');

/** BullMQ knows it by its name: what becomes of this job, it need not see to. */
function delayed(message: string): Error {
  return Object.defineProperty(new Error(message), 'name', { value: 'DelayedError' });
}

/** BullMQ knows it by its name: this job is not to be tried again, whatever its options say. */
function unrecoverable(message: string): Error {
  return Object.defineProperty(new Error(message), 'name', { value: 'UnrecoverableError' });
}
