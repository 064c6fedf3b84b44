import type { AttemptContext } from '../../engine/attempt.ts';
import { NonRetryableError } from '../../engine/errors.ts';
import type { Policy } from '../../engine/policy.ts';
import { read } from '../../engine/read.ts';
import { requireFunction } from '../../forms/require-function.ts';
import { classifySqlError, isAnswer, knownClass } from './classify-sql-error.ts';
import {
  type ConnectPool,
  type Dialect,
  type GetConnectionPool,
  type PooledClient,
  type PoolSource,
  poolSourceOf,
} from './clients.ts';
import { prepareTransaction, type TransactionOptions } from './database-options.ts';
import { Lease } from './lease.ts';
import type { Effect } from './outcome.ts';
import { runCall } from './run-call.ts';
import { type TransactionClient, transactionClient } from './transaction-client.ts';

/**
 * Runs `fn` in a transaction, and repeats the whole of it when that may help: see {@link classifySqlError}. Resolves
 * with what `fn` returned once it is committed, or rejects with the last error, untouched, when it is rolled back.
 *
 * Each attempt takes a connection from the pool, begins, runs `fn` and commits; when anything fails it rolls back. The
 * client that `fn` gets is for its statements alone: it neither ends the transaction nor gives the connection back, and
 * refuses statements once the transaction has ended. What `fn` does elsewhere, it does again in the next attempt.
 *
 * When the connection breaks or the attempt is cut off after COMMIT was sent and before it was answered, nobody knows
 * whether the transaction was committed. It is not repeated then, and `isOutcomeUnknown` tells the error from others;
 * `verifyCommit` lets the call find out and go on.
 *
 * @param pool a pool of pg or of mysql2/promise, or one that lends connections in the same way
 * @param fn what to do; it is given the client and the attempt
 * @param options see `TRANSACTION_DEFAULTS` for what holds where one is left out
 * @throws TypeError or RangeError at once, when an argument or option is wrong
 *
 * @example
 * ```ts
 * await retryTransaction(
 *   pool,
 *   async client => {
 *     await client.query('UPDATE accounts SET balance = balance - $2 WHERE id = $1', [from, amount]);
 *     await client.query('UPDATE accounts SET balance = balance + $2 WHERE id = $1', [to, amount]);
 *   },
 *   { operation: 'transfer', isolation: 'serializable' },
 * );
 * ```
 */
export function retryTransaction<C extends PooledClient, T, F = never>(
  pool: ConnectPool<C>,
  fn: (client: C, attempt: AttemptContext) => T | PromiseLike<T>,
  options?: TransactionOptions<T, F>,
): Promise<T | F>;
export function retryTransaction<C extends PooledClient, T, F = never>(
  pool: { connect(): PromiseLike<C> } | GetConnectionPool<C>,
  fn: (client: C, attempt: AttemptContext) => T | PromiseLike<T>,
  options?: TransactionOptions<T, F>,
): Promise<T | F>;
export function retryTransaction(
  pool: object,
  fn: TransactionFunction,
  options?: TransactionOptions<never, unknown>,
): Promise<unknown> {
  requireFunction('retryTransaction', fn);
  const source = poolSourceOf(pool);
  const { policy, options: known } = prepareTransaction(options);
  /** What `fn` returned in the attempt whose COMMIT was not answered, until that is cleared up. */
  let unverified: { readonly value: unknown } | undefined;
  let latest: { readonly value: unknown } | undefined;
  const work = async (attempt: AttemptContext, effect: Effect): Promise<unknown> => {
    if (unverified !== undefined) {
      effect.sent('in_part');
      if ((await known.verifyCommit?.(attempt)) === true) return unverified.value;
      effect.answered();
      unverified = undefined;
    }
    return runTransaction({ source, policy, begin: beginOf(source.dialect, known), fn }, attempt, value => {
      latest = { value };
      if (known.readOnly !== true) effect.sent();
      return () => effect.answered();
    });
  };
  return runCall(policy, options ?? policy, {
    work,
    retryOn: classifySqlError,
    onUnknown: () => {
      unverified ??= latest;
      return known.verifyCommit !== undefined;
    },
  });
}

type TransactionFunction = (client: never, attempt: AttemptContext) => unknown;

interface TransactionTerms {
  readonly source: PoolSource;
  readonly policy: Policy;
  readonly begin: readonly string[];
  readonly fn: TransactionFunction;
}

/** Told as COMMIT is sent what the transaction has come to; gives the function that is told of the answer. */
type CommitWatch = (value: unknown) => () => void;

async function runTransaction(
  { source, policy, begin, fn }: TransactionTerms,
  attempt: AttemptContext,
  onCommit: CommitWatch,
): Promise<unknown> {
  const lease = await Lease.take(source, attempt.signal);
  try {
    const transaction = transactionClient(lease.client, source.dialect);
    let value: unknown;
    try {
      for (const statement of begin) await lease.client.query(statement);
      value = await fn(transaction.client as never, attempt);
      const end = transaction.ended();
      if (end !== undefined) throw end.error;
    } catch (error) {
      transaction.close();
      await rollBack(lease, error, policy);
      throw error;
    }
    transaction.close();
    // A connection that was closed meanwhile takes no COMMIT.
    if (attempt.signal.aborted) throw attempt.signal.reason;
    await commit(lease, transaction, onCommit(value));
    return value;
  } finally {
    lease.destroy();
  }
}

async function commit(lease: Lease, transaction: TransactionClient, onAnswer: () => void): Promise<void> {
  let answer: unknown;
  try {
    answer = await lease.client.query('COMMIT');
  } catch (error) {
    if (isAnswer(error)) lease.giveBack();
    throw error;
  }
  onAnswer();
  lease.giveBack();
  // PostgreSQL answers so when a statement had failed, even if `fn` has caught its error.
  if (read(answer, 'command') !== 'ROLLBACK') return;
  const failure = transaction.lastFailure();
  if (failure !== undefined) throw failure.error;
  throw new NonRetryableError('The transaction was rolled back at COMMIT: a statement in it had failed');
}

/** How long a server may take to roll back, in milliseconds. A connection that is closed is rolled back as well. */
const ROLLBACK_LIMIT_MS = 5000;

/** Rolls back before the next attempt begins, so that it does not meet the locks of this one. */
async function rollBack(lease: Lease, error: unknown, { clock, hold }: Policy): Promise<void> {
  // On a connection that has failed or was closed, nothing more is to be said; closing it rolls back.
  const isLost = knownClass(error) !== undefined && classifySqlError(error) === 'transient' && !isAnswer(error);
  if (isLost || lease.isReturned) return;
  const { promise: late, resolve } = Promise.withResolvers<'late'>();
  const stopTimer = clock.timer(ROLLBACK_LIMIT_MS, () => resolve('late'), hold);
  try {
    if ((await Promise.race([lease.client.query('ROLLBACK'), late])) !== 'late') lease.giveBack();
  } catch {
    // It is closed then.
  } finally {
    stopTimer();
  }
}

/** Fixed texts only: what the caller chooses among was checked. */
function beginOf(dialect: Dialect, { isolation, readOnly }: TransactionOptions<never, unknown>): readonly string[] {
  const level = isolation === undefined ? '' : ` ISOLATION LEVEL ${isolation.toUpperCase()}`;
  const access = readOnly === undefined ? '' : readOnly ? ' READ ONLY' : ' READ WRITE';
  if (dialect === 'postgresql') return [`BEGIN${level}${access}`];
  return [...(level === '' ? [] : [`SET TRANSACTION${level}`]), `START TRANSACTION${access}`];
}
