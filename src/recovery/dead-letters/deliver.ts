import { onAbort } from '../../engine/abort.ts';
import { describeError } from '../../engine/describe-error.ts';
import type { DeadLetterQueue } from './dead-letter-queue.ts';
import type { FurtherFailure } from './dead-letter-store.ts';
import type { DeadLetter } from './letter.ts';
import type { OperationRegistry, RegisteredOperation } from './operation-registry.ts';
import { runOperation } from './run-operation.ts';
import { storedArguments } from './stored-arguments.ts';

/** What a letter met when it was sent again. */
export type Delivery =
  | { readonly is: 'success' }
  | { readonly is: 'failure'; readonly failure: Omit<FurtherFailure, 'quarantineAfter'> }
  /** It was not sent, which says nothing against the letter. `down`: it says that the dependency is still down. */
  | { readonly is: 'untried'; readonly why: 'down' | 'aborted' | 'not_here' }
  /** It cannot be sent as it is. */
  | { readonly is: 'impossible'; readonly why: string };

/** Sends one letter again. Rejects only for what is wrong with the run itself. */
export async function deliver(
  letter: DeadLetter,
  queue: DeadLetterQueue,
  registry: OperationRegistry,
  signal: AbortSignal | undefined,
): Promise<Delivery> {
  const operation = registry.get(letter.operation);
  if (operation === undefined) return { is: 'untried', why: 'not_here' };
  const args = await orAborted(signal, argumentsOf(letter, operation, queue));
  if (!Array.isArray(args)) return args as Delivery;
  const redrive = letter.redrives + 1;
  const idempotencyKey = (): string => letter.idempotencyKey;
  const ending = await runOperation(operation, args, { redrive, signal, idempotencyKey });
  if (ending.is === 'success') return { is: 'success' };
  const { reason, error, attempts } = ending.stop;
  if (signal?.aborted === true && reason === 'aborted') return { is: 'untried', why: 'aborted' };
  if (attempts === 0 && (reason === 'circuit_open' || reason === 'budget_exhausted'))
    return { is: 'untried', why: 'down' };
  const { history, failedAt } = ending.record;
  return { is: 'failure', failure: { error: describeError(error), reason, failedAt, attempts, history } };
}

async function argumentsOf(
  letter: DeadLetter,
  operation: RegisteredOperation,
  { cipher }: DeadLetterQueue,
): Promise<unknown[] | Delivery> {
  const found = await storedArguments(letter, operation, cipher);
  if ('is' in found) return found;
  const { stored } = found;
  const { restore } = operation;
  if (restore === undefined) return [...(stored ?? [])];
  return restored(await settle(() => restore(stored, letter)), letter, operation);
}

/** A restore that fails is a failure of the redrive: it may fetch something from a service that is down. */
function restored(
  result: { readonly value: unknown } | { readonly error: unknown },
  letter: DeadLetter,
  { policy }: RegisteredOperation,
): unknown[] | Delivery {
  if ('value' in result && Array.isArray(result.value)) return result.value;
  const error = 'error' in result ? result.error : new TypeError('restore gave no list of arguments');
  const now = Math.floor(policy.clock.wallNow());
  const { type } = describeError(error);
  const attempt = { startedAt: now, delayMs: 0, errorType: type, redrive: letter.redrives + 1 };
  return {
    is: 'failure',
    failure: { error: describeError(error), reason: 'not_retryable', failedAt: now, attempts: 1, history: [attempt] },
  };
}

/** What fetches or decrypts the arguments may never end. */
async function orAborted<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T | Delivery> {
  if (signal === undefined) return work;
  const aborted: Delivery = { is: 'untried', why: 'aborted' };
  if (signal.aborted) return aborted;
  const { promise, resolve } = Promise.withResolvers<Delivery>();
  const release = onAbort(signal, () => resolve(aborted));
  return Promise.race([work, promise]).finally(release);
}

async function settle(work: () => unknown): Promise<{ readonly value: unknown } | { readonly error: unknown }> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error };
  }
}
