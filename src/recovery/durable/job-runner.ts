import type { Clock } from '../../engine/clock.ts';
import { reportFault } from '../../engine/faults.ts';
import type { StopReason } from '../../engine/outcome.ts';
import type { LetterKeeper } from '../dead-letters/letter-keeper.ts';
import type { ContinuedCall } from '../dead-letters/wait-keeper.ts';
import { goOn, type Workplace } from './go-on.ts';
import { writeAgain } from './job.ts';
import { jobIdOf } from './job-id.ts';
import type { JobResult } from './job-result.ts';
import { type Kept, keepStored } from './keep-stored.ts';
import { MOST_TIMES, type PutBack, pauseMs } from './put-back.ts';
import { readJob } from './read-job.ts';
import type { WaitEngine } from './wait-engine.ts';
import type { WaitJournal } from './wait-journal.ts';

/** What a worker has, whichever job it runs. */
export interface WorkerTerms extends Pick<Workplace, 'registry' | 'cipher' | 'keeper'> {
  /** For calls whose operation names none. */
  readonly deadLetter: LetterKeeper | undefined;
  readonly clock: Clock;
}

/** Runs the jobs of calls that were handed over. No call is lost here that can be read: it goes on, later or as a letter. */
export class JobRunner {
  readonly #engine: WaitEngine;
  readonly #journal: WaitJournal;
  readonly #terms: WorkerTerms;

  constructor(engine: WaitEngine, journal: WaitJournal, terms: WorkerTerms) {
    this.#engine = engine;
    this.#journal = journal;
    this.#terms = terms;
  }

  /**
   * Goes on with the call of a job; without `putBack` another job takes the place of one that is to be taken again. Rejects
   * only for what is wrong with the library itself.
   */
  async run(
    data: unknown,
    jobId: string,
    signal: AbortSignal | undefined,
    putBack: PutBack | undefined,
  ): Promise<JobResult> {
    const job = readJob(data);
    const common = { jobId, signal, putBack };
    switch (job.is) {
      case 'foreign':
        return this.#refused({ jobId }, job.why, 'by_nobody');
      case 'newer': {
        const again = (times: number): object => ({ ...(data as object), putBack: times });
        return this.#later({ ...common, times: job.putBack, again }, 'the job was written by a newer version');
      }
      case 'ours': {
        const { call, putBack: times } = job;
        return this.#goOn({ ...common, call, times, again: n => writeAgain(call, n) });
      }
    }
  }

  async #goOn(job: TakenJob & { readonly call: ContinuedCall }): Promise<JobResult> {
    const { call, jobId, signal } = job;
    const { operation } = call;
    const onStart = (): void => this.#journal.tell({ event: 'continued', operation, jobId });
    const result = await goOn(call, { ...this.#terms, signal, onStart });
    switch (result.outcome) {
      case 'aborted':
        return this.#later(job, 'the worker was stopped in the middle of it');
      case 'not_here':
        return this.#later(job, result.why);
      case 'impossible':
        return this.#refused(job, result.why, await this.#keep(call, 'not_retryable'));
      case 'forged':
        // Who can write to the queue must not get arguments of their own into a letter either.
        return this.#refused(job, result.why, 'by_nobody');
      default:
        return result;
    }
  }

  /** Lets a job be taken again later; or leaves a letter, where that was done often enough. */
  async #later(job: TakenJob, why: string): Promise<JobResult> {
    const { jobId, call, times } = job;
    if (times >= MOST_TIMES) {
      return this.#refused(job, why, call === undefined ? 'by_nobody' : await this.#keep(call, 'deadline_exceeded'));
    }
    const operation = call?.operation;
    const delayMs = pauseMs(times + 1);
    const goesOnAt = Math.floor(this.#terms.clock.wallNow() + delayMs);
    try {
      if (job.putBack !== undefined) await job.putBack(job.again(times + 1), delayMs);
      // Where its engine has taken the job from this worker, another one has it.
      else if (job.signal?.aborted === true) return { outcome: 'aborted', operation };
      else await this.#engine.add(jobIdOf(jobId, times + 1), operation ?? '', job.again(times + 1), delayMs);
    } catch (fault) {
      reportFault('durable_wait', fault);
      return { outcome: 'aborted', operation };
    }
    this.#journal.tell({ event: 'put_back', jobId, why, ...namedBy(call) });
    return { outcome: 'put_back', operation, why, goesOnAt };
  }

  #keep(call: ContinuedCall, reason: StopReason): Promise<Kept> {
    const { registry, deadLetter } = this.#terms;
    return keepStored(registry.get(call.operation)?.deadLetter ?? deadLetter, call, reason);
  }

  #refused({ jobId, call }: Pick<TakenJob, 'jobId' | 'call'>, why: string, kept: Kept): JobResult {
    this.#journal.tell({ event: 'refused', jobId, why, ...namedBy(call) });
    if (kept === 'by_nobody') {
      this.#journal.tellNotStored({ why, ...namedBy(call), ...(call === undefined ? undefined : { id: call.id }) });
    }
    return { outcome: 'refused', why, hasLetter: kept === 'kept' };
  }
}

/** A job between its coming and its going. */
interface TakenJob {
  readonly jobId: string;
  readonly signal: AbortSignal | undefined;
  readonly putBack: PutBack | undefined;
  /** Undefined where it cannot be read here. */
  readonly call?: ContinuedCall;
  /** How often it was put back. */
  readonly times: number;
  /** Its data when it is put back for the n-th time. */
  again(n: number): object;
}

function namedBy(call: ContinuedCall | undefined): { readonly operation?: string } {
  return call === undefined ? {} : { operation: call.operation };
}
