import { causesOf } from '../../engine/causes.ts';
import { classifyError } from '../../engine/classify.ts';
import { isRetryError } from '../../engine/errors.ts';
import type { ErrorClass } from '../../engine/outcome.ts';
import { read } from '../../engine/read.ts';
import { type SqlFact, sqlFact } from './sql-codes.ts';

/**
 * Says of an error of a database whether another attempt may succeed: by its SQLSTATE, the name or number of MySQL, the
 * code of Node, or the message that pg gives without a code. What object mappers wrap is found through `cause`.
 *
 * - transient: conflicts of transactions (40001, 40P01, `ER_LOCK_DEADLOCK`), locks (55P03), connections that break or
 *   cannot be made (08…, 57P01 to 57P03, `ECONNRESET`), errors of input and output (58000, 58030)
 * - throttled: too many connections (53300, `ER_CON_COUNT_ERROR`)
 * - permanent: everything else, such as constraints (23…), syntax (42…), data (22…), credentials (28…), and errors that
 *   are not the database's
 *
 * It looks at the error alone. Whether a statement may be sent again is another question: `retryQuery` and
 * `retryTransaction` ask it themselves, a policy of your own with this classifier is for reads. Never throws.
 *
 * @example
 * ```ts
 * await retry(() => prisma.user.findMany(), { operation: 'find_users', retryOn: classifySqlError });
 * ```
 */
export function classifySqlError(error: unknown): ErrorClass {
  return knownClass(error) ?? 'permanent';
}

/** The class of an error that says what it is; undefined for one that does not. */
export function knownClass(error: unknown): ErrorClass | undefined {
  if (isRetryError(error)) return classifyError(error);
  const retryable = read(error, 'retryable');
  if (typeof retryable === 'boolean') return retryable ? 'transient' : 'permanent';
  if (read(error, 'name') === 'AbortError') return 'cancelled';
  return factOf(error)?.errorClass;
}

/** True when transactions got in each other's way: the next attempt need not wait long. */
export function isConflict(error: unknown): boolean {
  return factOf(error)?.isConflict === true;
}

/** True when it is certain that a statement which failed with this error has changed nothing. */
export function isWithoutEffect(error: unknown): boolean {
  const effect = factOf(error)?.effect;
  return effect === 'never_sent' || effect === 'rolled_back';
}

/** True when the server has answered with this error, and the connection goes on. */
export function isAnswer(error: unknown): boolean {
  return factOf(error)?.effect === 'rolled_back';
}

function factOf(error: unknown): SqlFact | undefined {
  // What lies beneath an error of this library is of an earlier attempt.
  if (isRetryError(error)) return undefined;
  const own = sqlFact(error);
  if (own !== undefined) return own;
  for (const cause of causesOf(error)) {
    const found = sqlFact(cause);
    if (found !== undefined) return found;
  }
  return undefined;
}
