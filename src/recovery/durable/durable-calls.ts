import type { Clock } from '../../engine/clock.ts';
import { errorType } from '../../engine/error-type.ts';
import { reportFault } from '../../engine/faults.ts';
import { redact as redactText } from '../../engine/redact.ts';
import { systemClock } from '../../engine/system-clock.ts';
import { isUuid, newLetterId } from '../dead-letters/letter-id.ts';
import { operations } from '../dead-letters/operation-registry.ts';
import { boundTo, type PayloadTerms, packPayload } from '../dead-letters/pack-payload.ts';
import { redactPayload } from '../dead-letters/redact-payload.ts';
import type { StoredPayload } from '../dead-letters/stored-payload.ts';
import type { TakenCall, WaitingCall, WaitKeeper } from '../dead-letters/wait-keeper.ts';
import { writeJob } from './job.ts';
import { jobIdOf } from './job-id.ts';
import type { JobResult } from './job-result.ts';
import { JobRunner } from './job-runner.ts';
import type { PutBack } from './put-back.ts';
import { readJob } from './read-job.ts';
import type { WaitEngine } from './wait-engine.ts';
import { WaitJournal } from './wait-journal.ts';
import { WAITS_DEFAULTS, type WaitCounts, type WaitsOptions } from './waits-options.ts';
import { within } from './within.ts';

/** What both adapters do: hands calls over to an engine, and goes on with them where the worker runs. */
export class DurableCalls implements WaitKeeper {
  readonly #engine: WaitEngine;
  readonly #journal: WaitJournal;
  readonly #runner: JobRunner;
  readonly #terms: PayloadTerms;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  /** Jobs that the engine has not answered yet, also those that nobody waits for any more. */
  #unanswered = 0;

  /** The options have been checked. */
  constructor(engine: WaitEngine, options: WaitsOptions) {
    const { registry = operations, redact = redactPayload, cipher, clock = systemClock } = options;
    this.#engine = engine;
    this.#journal = new WaitJournal(engine.queue, options.onEvent);
    const { deadLetter } = options;
    this.#runner = new JobRunner(engine, this.#journal, { registry, cipher, keeper: this, deadLetter, clock });
    const maxBytes = options.maxPayloadBytes ?? WAITS_DEFAULTS.maxPayloadBytes;
    this.#terms = { maxBytes, redact: redact === false ? undefined : redact, cipher };
    this.#timeoutMs = options.handOverTimeoutMs ?? WAITS_DEFAULTS.handOverTimeoutMs;
    this.#clock = clock;
  }

  get counts(): Readonly<WaitCounts> {
    return this.#journal.counts;
  }

  async handOver(call: WaitingCall, signal: AbortSignal): Promise<TakenCall | undefined> {
    if (signal.aborted) return undefined;
    const { operation, before, attempts, wait } = call;
    const id = before?.id ?? newLetterId(this.#clock.wallNow());
    const jobId = jobIdOf(id, attempts);
    // The handing over takes a moment, but the delay begins now.
    const goesOnAt = Math.floor(this.#clock.wallNow() + wait.delayMs);
    const patience = { clock: this.#clock, timeoutMs: Math.min(this.#timeoutMs, wait.delayMs), signal };
    try {
      const give = (isWanted: () => boolean): Promise<void> => this.#give(id, jobId, call, isWanted);
      await within(patience, give, () => void takeBack(this.#engine, jobId));
    } catch (fault) {
      if (signal.aborted) return undefined;
      const why = fault instanceof Unfit ? fault.message : `the engine did not take it: ${errorType(fault)}`;
      reportFault('durable_wait', fault);
      this.#journal.tell({ event: 'kept_in_memory', operation, why });
      return undefined;
    }
    const { queue } = this.#engine;
    this.#journal.tell({ event: 'handed_over', operation, jobId });
    return { queue, jobId, goesOnAt };
  }

  /** Runs a job; see {@link JobRunner.run}. */
  run(data: unknown, jobId: string, signal: AbortSignal | undefined, putBack?: PutBack): Promise<JobResult> {
    return this.#runner.run(data, jobId, signal, putBack);
  }

  async #give(id: string, jobId: string, call: WaitingCall, isWanted: () => boolean): Promise<void> {
    const { operation, version, args, before, wait } = call;
    const payload = before?.payload ?? (await packPayload(args, version, boundTo(id, operation, version), this.#terms));
    const why = obstacleTo(call, payload);
    if (why !== undefined) throw new Unfit(why);
    const job = writeJob(id, payload, call);
    // A worker must not be the first to find out that it cannot be read.
    const read = readJob(JSON.parse(JSON.stringify(job)));
    if (read.is !== 'ours') throw new Unfit(read.is === 'foreign' ? read.why : 'the format of the job is not ours');
    // A client without a connection keeps what it is given.
    if (this.#unanswered >= MOST_UNANSWERED) throw new Unfit('the engine has too many others to answer');
    if (!isWanted()) return;
    this.#unanswered++;
    try {
      await this.#engine.add(jobId, operation, job, wait.delayMs);
    } finally {
      this.#unanswered--;
    }
  }
}

const MOST_UNANSWERED = 10_000;

/** The call cannot be handed over as it is, or now. */
class Unfit extends Error {
  override readonly name: string = 'Unfit';
}

/** Where this fails the call is made twice, with one idempotency key. */
async function takeBack(engine: WaitEngine, jobId: string): Promise<void> {
  try {
    await engine.remove(jobId);
  } catch {
    // The engine has gone again.
  }
}

/** Why a call cannot go on from what would be stored of it: it would be another call. */
function obstacleTo({ idempotencyKey, isRestorable }: WaitingCall, payload: StoredPayload): string | undefined {
  if (idempotencyKey.length > LONGEST_KEY) return 'the idempotency key is too long';
  if (!isUuid(idempotencyKey) && redactText(idempotencyKey) !== idempotencyKey) {
    return 'the idempotency key looks like a secret';
  }
  if (isRestorable) return undefined;
  if (payload.kind === 'omitted') return `the arguments cannot be kept: ${payload.why}`;
  return payload.altered.length > 0 ? `the arguments would be altered: ${payload.altered.join(', ')}` : undefined;
}

const LONGEST_KEY = 512;
