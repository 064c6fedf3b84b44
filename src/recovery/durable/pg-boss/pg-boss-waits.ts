import { type Check, checkName, withFunctions } from '../../../engine/option-checks.ts';
import type { TakenCall, WaitingCall, WaitKeeper } from '../../dead-letters/wait-keeper.ts';
import { DurableCalls } from '../durable-calls.ts';
import { failureOf, type JobResult } from '../job-result.ts';
import { checkWaitsOptions, type WaitCounts, type WaitsOptions } from '../waits-options.ts';

/** What is asked of a `PgBoss`. */
export interface PgBossClient {
  send(
    queue: string,
    data: object,
    options: { readonly id: string; readonly startAfter: number },
  ): Promise<string | null>;
  /** `deleteJob` would do for jobs that are over, too; this one leaves a trace. */
  cancel(queue: string, id: string): Promise<unknown>;
  findJobs(queue: string, options: { readonly id: string }): Promise<readonly unknown[]>;
}

/** What is asked of a job of pg-boss. */
export interface PgBossJob {
  readonly id: string;
  readonly data: unknown;
  readonly signal?: AbortSignal;
}

/** What became of a job, as pg-boss asks for it with `perJobResults`. */
export interface PgBossJobResult {
  readonly id: string;
  readonly status: 'completed' | 'failed' | 'deadletter';
  readonly output: object;
}

/** The options of {@link PgBossWaits}. */
export interface PgBossWaitsOptions extends WaitsOptions {
  /** A `PgBoss` that is started. It stays the caller's to stop. */
  readonly boss: PgBossClient;
  /** The queue for these calls alone, of the policy `standard`; `createQueue` makes it. 1 to 200 characters. */
  readonly queue: string;
}

/**
 * Keeps calls over long waits as jobs of pg-boss that start later; see `durable` of `defineOperation`. Every process that
 * may go on with them defines the operations and runs a worker.
 *
 * At least once: a worker that dies is noticed by pg-boss when `heartbeatSeconds` or `expireInSeconds` of the queue are over,
 * and the job is run again from the same attempt with the same idempotency key, as often as the queue's `retryLimit` says:
 * that is for crashes alone. `expireInSeconds` must be longer than a worker may hold a call: its attempts and the
 * waits up to `maxInProcessDelay` between them.
 *
 * A worker that does not know the operation, its version or the key, and one whose operation's `signal` has aborted, puts a
 * job back: another job takes its place, for a worker that can, first in 5 s, then ever more rarely up to every 5 min. After
 * 300 times, about a day, its call becomes a dead letter.
 *
 * A job fails when it is refused, or when its call is given up, and no queue of dead letters has taken it; it is not retried,
 * and goes to the queue's own `deadLetter`, if there is one.
 *
 * @example
 * ```ts
 * await boss.createQueue('long-waits', { heartbeatSeconds: 30, retryLimit: 3 });
 * const waits = new PgBossWaits({ boss, queue: 'long-waits' });
 * const chargeCard = defineOperation('charge_card', charge, { maxAttempts: 5, maxDelay: 3_600_000, durable: waits });
 * await boss.work('long-waits', { perJobResults: true }, waits.process);
 * ```
 */
export class PgBossWaits implements WaitKeeper {
  readonly #calls: DurableCalls;
  /** What `work` runs, with `perJobResults: true`. */
  readonly process: (jobs: readonly PgBossJob[]) => Promise<PgBossJobResult[]>;

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: PgBossWaitsOptions) {
    checkWaitsOptions('the options of PgBossWaits', options, CHECKS);
    CHECKS.boss('boss', options.boss);
    CHECKS.queue('queue', options.queue);
    const { boss, queue, ...common } = options;
    this.#calls = new DurableCalls(
      {
        queue,
        add: async (id, _operation, data, delayMs) => {
          const sent = await boss.send(queue, data, { id, startAfter: Math.ceil(delayMs) / 1000 });
          if (sent === null && (await boss.findJobs(queue, { id })).length === 0) {
            // A queue of another policy keeps one job at a time, and drops the others without a word.
            throw new TypeError('The queue did not take the job: its policy must be "standard"');
          }
        },
        remove: id => boss.cancel(queue, id),
      },
      common,
    );
    this.process = jobs => Promise.all(jobs.map(job => this.#process(job)));
  }

  /** What has happened in this process. */
  get counts(): Readonly<WaitCounts> {
    return this.#calls.counts;
  }

  handOver(call: WaitingCall, signal: AbortSignal): Promise<TakenCall | undefined> {
    return this.#calls.handOver(call, signal);
  }

  async #process({ id, data, signal }: PgBossJob): Promise<PgBossJobResult> {
    const result = await this.#calls.run(data, id, signal);
    return { id, status: statusOf(result), output: { ...result, message: failureOf(result) } };
  }
}

/** `failed` is run again, as the queue's `retryLimit` allows; `deadletter` is not. */
function statusOf(result: JobResult): PgBossJobResult['status'] {
  if (failureOf(result) === undefined) return 'completed';
  return result.outcome === 'aborted' ? 'failed' : 'deadletter';
}

const CHECKS: Readonly<Record<'boss' | 'queue', Check>> = {
  boss: withFunctions('a PgBoss', 'send', 'cancel', 'findJobs'),
  queue: checkName,
};
