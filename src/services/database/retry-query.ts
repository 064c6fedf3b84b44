import type { AttemptContext } from '../../engine/attempt.ts';
import { read } from '../../engine/read.ts';
import { classifySqlError, isAnswer } from './classify-sql-error.ts';
import { kindOf, type Queryable, type QueryRows, type StatementConfig, sourceOf } from './clients.ts';
import { prepareQuery, type QueryOptions } from './database-options.ts';
import { Lease } from './lease.ts';
import type { Effect } from './outcome.ts';
import { isPlainRead, mayLastInPart } from './plain-read.ts';
import { runCall } from './run-call.ts';

/**
 * Runs a statement, and retries it when that may help: see {@link classifySqlError}. Resolves with the answer of the
 * client, or rejects with its last error, untouched.
 *
 * A statement that may have been carried out is not sent again: where the connection breaks, or an attempt is cut off,
 * between sending and answer, the call ends with that error, and `isOutcomeUnknown` tells it from others. That does not
 * hold for statements that surely only read, or that you call `idempotent`.
 *
 * From a pool each attempt takes a connection of its own, and one that was cut off or failed is closed. Over a single
 * client, a broken connection ends the call, and so does any error in a transaction: there, use `retryTransaction`.
 *
 * @param database a pool or a client of pg, of mysql2/promise, or anything with a function `query`; see {@link Queryable}
 * @param statement its text, or an object with `text` (pg) or `sql` (mysql2)
 * @param values for its placeholders; undefined for none
 * @param options see `QUERY_DEFAULTS` for what holds where one is left out
 * @throws TypeError or RangeError at once, when an argument or option is wrong
 *
 * @example
 * ```ts
 * const { rows } = await retryQuery<{ name: string }>(pool, 'SELECT name FROM users WHERE id = $1', [id]);
 * await retryQuery(pool, 'UPDATE users SET seen = $2 WHERE id = $1', [id, now], { idempotent: true });
 * ```
 */
export function retryQuery<R = Record<string, unknown>, F = never>(
  database: Queryable<QueryRows<unknown>>,
  statement: string | StatementConfig,
  values?: readonly unknown[],
  options?: QueryOptions<QueryRows<R>, F>,
): Promise<QueryRows<R> | F>;
export function retryQuery<T, F = never>(
  database: Queryable<T>,
  statement: string | StatementConfig,
  values?: readonly unknown[],
  options?: QueryOptions<T, F>,
): Promise<T | F>;
export function retryQuery(
  database: Queryable,
  statement: string | StatementConfig,
  values?: readonly unknown[],
  options?: QueryOptions<never, unknown>,
): Promise<unknown> {
  const text = textOf(statement);
  if (values !== undefined && !Array.isArray(values)) {
    throw new TypeError(`values are ${kindOf(values)}; they must be a list, or undefined`);
  }
  const source = sourceOf(database);
  const { policy, options: known } = prepareQuery(options);
  const extent = (known.idempotent ?? isPlainRead(text)) ? 'nothing' : mayLastInPart(text) ? 'in_part' : 'whole';
  const send = async (client: Queryable, effect: Effect): Promise<unknown> => {
    if (extent !== 'nothing') effect.sent(extent);
    const answer = await query(client, statement, values);
    effect.answered();
    return answer;
  };
  const work = async ({ signal }: AttemptContext, effect: Effect): Promise<unknown> => {
    if (source.kind !== 'pool') return send(source.client, effect);
    const lease = await Lease.take(source, signal);
    try {
      const answer = await send(lease.client, effect);
      lease.giveBack();
      return answer;
    } finally {
      // Also what a statement that failed may have left behind, such as a transaction.
      lease.destroy();
    }
  };
  const isInTransaction = source.kind === 'connection' && hasTransaction(source.client);
  return runCall(policy, options ?? policy, {
    work,
    retryOn: classifySqlError,
    isFinal: error => source.kind === 'connection' && (isInTransaction || !isAnswer(error)),
  });
}

/** @throws TypeError when it is no statement that can be sent more than once */
function textOf(statement: unknown): string {
  if (typeof read(statement, 'submit') === 'function') {
    throw new TypeError('statement is a query object, which runs once; it must be a text, or an object with its text');
  }
  const text = typeof statement === 'string' ? statement : (read(statement, 'text') ?? read(statement, 'sql'));
  if (typeof text === 'string' && text.trim() !== '') return text;
  throw new TypeError(
    typeof statement === 'string'
      ? 'statement is empty'
      : `statement is ${kindOf(statement)}; it must be a text, or an object with its text as "text" or "sql"`,
  );
}

/** A copy for each attempt, since pg keeps the callback of the attempt in the object. */
function query(
  client: Queryable,
  statement: string | StatementConfig,
  values: readonly unknown[] | undefined,
): PromiseLike<unknown> {
  const own = typeof statement === 'string' ? statement : copyOf(statement);
  return values === undefined ? client.query(own) : client.query(own, [...values]);
}

/** Packages that build statements keep the text and its values in getters of a class, which a spread would lose. */
function copyOf(statement: StatementConfig): StatementConfig {
  const copy: Record<string, unknown> = { ...statement };
  for (const key of STATEMENT_KEYS) {
    const value = read(statement, key);
    if (value !== undefined) copy[key] = value;
  }
  return copy as StatementConfig;
}

/** What pg and mysql2 read of a statement. */
const STATEMENT_KEYS = ['text', 'sql', 'values', 'name', 'rowMode', 'types', 'binary', 'queryMode', 'rowsAsArray'];

/** What pg knows of the connection: idle, in a transaction, or in one that has failed. */
function hasTransaction(client: Queryable): boolean {
  const status = read(client, 'getTransactionStatus');
  if (typeof status !== 'function') return false;
  try {
    const now: unknown = status.call(client);
    return now === 'T' || now === 'E';
  } catch {
    return false;
  }
}
