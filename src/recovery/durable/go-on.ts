import { describeError } from '../../engine/describe-error.ts';
import { keepLetter } from '../dead-letters/keep-letter.ts';
import type { OperationRegistry, RegisteredOperation } from '../dead-letters/operation-registry.ts';
import type { PayloadCipher } from '../dead-letters/payload-cipher.ts';
import { runOperation } from '../dead-letters/run-operation.ts';
import { storedArguments } from '../dead-letters/stored-arguments.ts';
import { type ContinuedCall, DEFAULT_LONGEST_WAIT_MS, type WaitKeeper } from '../dead-letters/wait-keeper.ts';
import { WayOut } from '../dead-letters/way-out.ts';
import { earlierError } from './earlier-error.ts';
import type { JobResult } from './job-result.ts';

/** What a worker has. */
export interface Workplace {
  readonly registry: OperationRegistry;
  readonly cipher: PayloadCipher | undefined;
  /** Where the call goes before its next long wait. */
  readonly keeper: WaitKeeper;
  readonly signal: AbortSignal | undefined;
  /** Told once it is certain that the call can go on here. */
  onStart(): void;
}

/** What became of a call at this worker. */
export type WorkResult =
  | Exclude<JobResult, { outcome: 'put_back' | 'refused' }>
  /** `not_here`: another worker may be able to. `impossible`: nobody can. `forged`: nobody may. */
  | { readonly outcome: 'not_here' | 'impossible' | 'forged'; readonly why: string };

/** Goes on with a call that was handed over, until it ends or leaves again. */
export async function goOn(
  call: ContinuedCall,
  { registry, cipher, keeper, signal: worker, onStart }: Workplace,
): Promise<WorkResult> {
  // With a key of ours, text that was not sealed is somebody else's.
  if (cipher !== undefined && call.payload.kind === 'plain') {
    return { outcome: 'forged', why: 'the payload is not sealed' };
  }
  const operation = registry.get(call.operation);
  if (operation === undefined) {
    return { outcome: 'not_here', why: `there is no operation of the name ${JSON.stringify(call.operation)}` };
  }
  const found = await storedArguments(call, operation, cipher);
  if ('is' in found) {
    return found.is === 'impossible'
      ? { outcome: 'impossible', why: found.why }
      : { outcome: 'not_here', why: OPENED_ELSEWHERE };
  }
  onStart();
  const work = new Work(call, operation, found.stored);
  const wayOut = work.wayOut(keeper);
  const signal = either(worker, operation.policy.signal);
  const ending = await runOperation(operation, () => work.restored(), {
    redrive: 0,
    signal,
    deadline: call.deadline,
    idempotencyKey: () => call.idempotencyKey,
    wayOut,
    from: work.begun,
  });
  const { name } = operation;
  if (ending.is === 'success') return { outcome: 'success', operation: name };
  const { taken } = wayOut;
  if (taken !== undefined) {
    return { outcome: 'handed_over', operation: name, jobId: taken.jobId, goesOnAt: taken.goesOnAt };
  }
  const { reason, attempts, error } = ending.stop;
  // Its caller is not here: what aborts a call here is the end of the worker.
  if (reason === 'aborted') return { outcome: 'aborted', operation: name };
  const { id, idempotencyKey, source } = call;
  // A worker that is killed after this is run again: the letter of the same call has the same id, and is there once.
  const hasLetter = await keepLetter(operation, ending, () => ({ id, args: work.args, idempotencyKey, source }));
  return { outcome: 'given_up', operation: name, reason, attempts, error: describeError(error), hasLetter };
}

const OPENED_ELSEWHERE = 'the payload is of a newer version, or sealed with a key that is not here';

function either(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  return one === undefined || other === undefined ? (one ?? other) : AbortSignal.any([one, other]);
}

/** A call between its coming and its going. */
class Work {
  readonly #call: ContinuedCall;
  readonly #operation: RegisteredOperation;
  readonly #stored: readonly unknown[] | undefined;
  #restored: readonly unknown[] | undefined = undefined;

  constructor(call: ContinuedCall, operation: RegisteredOperation, stored: readonly unknown[] | undefined) {
    this.#call = call;
    this.#operation = operation;
    this.#stored = stored;
  }

  /** The best that is known of the arguments. */
  get args(): readonly unknown[] {
    return this.#restored ?? this.#stored ?? [];
  }

  /** The arguments for the handler. Rejects when `restore` fails: it may fetch something from a service that is down. */
  async restored(): Promise<readonly unknown[]> {
    const { restore } = this.#operation;
    if (restore === undefined) return this.args;
    if (this.#restored === undefined) {
      const args: unknown = await restore(this.#stored, this.#call);
      if (!Array.isArray(args)) throw new TypeError('restore gave no list of arguments');
      this.#restored = args;
    }
    return this.#restored;
  }

  get begun() {
    const { attempts, error, wait, trace, startedAt } = this.#call;
    const { maxElapsed, clock } = this.#operation.policy;
    const remainingMs = maxElapsed === Infinity ? Infinity : Math.max(0, maxElapsed - (clock.wallNow() - startedAt));
    return { attempts, error: earlierError(error), wait, trace, remainingMs, before: this.#call };
  }

  wayOut(keeper: WaitKeeper): WayOut {
    const { name, version, restore, longWaits } = this.#operation;
    const { startedAt, deadline, idempotencyKey, source } = this.#call;
    const maxInProcessDelay = longWaits?.maxInProcessDelay ?? DEFAULT_LONGEST_WAIT_MS;
    return new WayOut(
      { keeper, maxInProcessDelay },
      {
        operation: name,
        version,
        args: () => this.args,
        isRestorable: restore !== undefined,
        startedAt,
        deadline,
        idempotencyKey: () => idempotencyKey,
        source,
        before: this.#call,
      },
    );
  }
}
