import type { Clock } from '../../engine/clock.ts';
import type { ErrorDescription } from '../../engine/describe-error.ts';
import { errorType } from '../../engine/error-type.ts';
import { reportFault } from '../../engine/faults.ts';
import { callHook } from '../../engine/hook.ts';
import type { StopReason } from '../../engine/outcome.ts';
import { redact as redactText } from '../../engine/redact.ts';
import { systemClock } from '../../engine/system-clock.ts';
import { isUuid, newLetterId } from '../dead-letters/letter-id.ts';
import { type OperationRegistry, operations } from '../dead-letters/operation-registry.ts';
import { boundTo, type PayloadTerms, packPayload } from '../dead-letters/pack-payload.ts';
import { redactPayload } from '../dead-letters/redact-payload.ts';
import type { StoredPayload } from '../dead-letters/stored-payload.ts';
import type { TakenCall, WaitingCall, WaitKeeper } from '../dead-letters/wait-keeper.ts';
import { goOn } from './go-on.ts';
import { writeJob } from './job.ts';
import { jobIdOf } from './job-id.ts';
import { readJob } from './read-job.ts';
import type { WaitEngine } from './wait-engine.ts';
import { WAITS_DEFAULTS, type WaitEvent, type WaitEventName, type WaitsOptions } from './waits-options.ts';
import { within } from './within.ts';

/** How often each thing has happened to a call in this process. */
export type WaitCounts = Record<WaitEventName, number>;

/** What became of a job. */
export type JobResult =
  | { readonly outcome: 'success'; readonly operation: string }
  /** Another long wait: another job goes on with the call. */
  | { readonly outcome: 'handed_over'; readonly operation: string; readonly jobId: string; readonly goesOnAt: number }
  | {
      readonly outcome: 'given_up';
      readonly operation: string;
      readonly reason: StopReason;
      readonly attempts: number;
      readonly error: ErrorDescription;
      /** True where the queue of dead letters of the operation has it. */
      readonly hasLetter: boolean;
    }
  /** The worker stopped in the middle of it. */
  | { readonly outcome: 'aborted'; readonly operation: string }
  /** It cannot be run here, or at all. */
  | { readonly outcome: 'refused'; readonly why: string };

/** What both adapters do: hands calls over to an engine, and goes on with them where the worker runs. */
export class DurableCalls implements WaitKeeper {
  readonly counts: Readonly<WaitCounts>;
  readonly #counts: WaitCounts = { handed_over: 0, kept_in_memory: 0, continued: 0, refused: 0 };
  readonly #engine: WaitEngine;
  readonly #registry: OperationRegistry;
  readonly #terms: PayloadTerms;
  readonly #timeoutMs: number;
  readonly #onEvent: ((event: WaitEvent) => void) | undefined;
  readonly #clock: Clock;
  /** Jobs that the engine has not answered yet, also those that nobody waits for any more. */
  #unanswered = 0;

  /** The options have been checked. */
  constructor(engine: WaitEngine, options: WaitsOptions) {
    const { registry = operations, redact = redactPayload, cipher, clock = systemClock, onEvent } = options;
    this.counts = this.#counts;
    this.#engine = engine;
    this.#registry = registry;
    const maxBytes = options.maxPayloadBytes ?? WAITS_DEFAULTS.maxPayloadBytes;
    this.#terms = { maxBytes, redact: redact === false ? undefined : redact, cipher };
    this.#timeoutMs = options.handOverTimeoutMs ?? WAITS_DEFAULTS.handOverTimeoutMs;
    this.#onEvent = onEvent;
    this.#clock = clock;
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
      this.#tell({ event: 'kept_in_memory', operation, why });
      return undefined;
    }
    const { queue } = this.#engine;
    this.#tell({ event: 'handed_over', operation, jobId });
    return { queue, jobId, goesOnAt };
  }

  /** Goes on with the call of a job. Rejects only for what is wrong with the library itself. */
  async run(data: unknown, jobId: string, signal: AbortSignal | undefined): Promise<JobResult> {
    const call = readJob(data);
    if (typeof call === 'string') return this.#refused(call, jobId, undefined);
    const { cipher } = this.#terms;
    const result = await goOn(call, {
      registry: this.#registry,
      cipher,
      keeper: this,
      signal,
      onStart: () => this.#tell({ event: 'continued', operation: call.operation, jobId }),
    });
    return result.outcome === 'refused' ? this.#refused(result.why, jobId, call.operation) : result;
  }

  async #give(id: string, jobId: string, call: WaitingCall, isWanted: () => boolean): Promise<void> {
    const { operation, version, args, before, wait } = call;
    const payload = before?.payload ?? (await packPayload(args, version, boundTo(id, operation, version), this.#terms));
    const why = obstacleTo(call, payload);
    if (why !== undefined) throw new Unfit(why);
    const job = writeJob(id, payload, call);
    // A worker must not be the first to find out that it cannot be read.
    const read = readJob(JSON.parse(JSON.stringify(job)));
    if (typeof read === 'string') throw new Unfit(read);
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

  #refused(why: string, jobId: string, operation: string | undefined): JobResult {
    this.#tell({ event: 'refused', jobId, why, ...(operation === undefined ? undefined : { operation }) });
    return { outcome: 'refused', why };
  }

  #tell(event: Omit<WaitEvent, 'queue'>): void {
    this.#counts[event.event]++;
    if (this.#onEvent !== undefined) callHook(this.#onEvent, { queue: this.#engine.queue, ...event });
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

/** What a failed job says of its result; undefined where the job has not failed. */
export function failureOf(result: JobResult): string | undefined {
  switch (result.outcome) {
    case 'success':
    case 'handed_over':
      return undefined;
    case 'refused':
      return `The job is refused: ${result.why}`;
    case 'aborted':
      return `${result.operation} was stopped in the middle of its work`;
    case 'given_up': {
      const { operation, attempts, reason, error, hasLetter } = result;
      return hasLetter ? undefined : `${operation} gave up after attempt ${attempts}, ${reason}: ${error.message}`;
    }
  }
}
