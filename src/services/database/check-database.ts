import type { AttemptContext } from '../../engine/attempt.ts';
import { classifyError } from '../../engine/classify.ts';
import { isAnswer, knownClass } from './classify-sql-error.ts';
import { type ConnectPool, type GetConnectionPool, type Queryable, sourceOf } from './clients.ts';
import { type DatabaseOptions, prepareHealthCheck } from './database-options.ts';
import { Lease } from './lease.ts';
import { runCall } from './run-call.ts';

/**
 * Asks a database whether it answers, by `SELECT 1`. Resolves when it has, and rejects with the last error when it has
 * not after 3 attempts, 0.5 s and 1 s apart and each cut off after 5 s. Errors that another attempt will not change,
 * such as a wrong password, end it at once.
 *
 * @param database a pool or a client of pg, of mysql2/promise, or anything with a function `query`; see {@link Queryable}
 * @param options see `HEALTH_CHECK_DEFAULTS` for what holds where one is left out
 * @throws TypeError or RangeError at once, when `database` or an option is wrong
 *
 * @example
 * ```ts
 * const { attempts, latencyMs } = await checkDatabase(pool);
 * ```
 */
export function checkDatabase<F = never>(
  database: Queryable | ConnectPool | GetConnectionPool,
  options?: DatabaseOptions<DatabaseHealth, F>,
): Promise<DatabaseHealth | F> {
  const source = sourceOf(database);
  const { policy } = prepareHealthCheck(options as DatabaseOptions<never, unknown> | undefined);
  const { clock } = policy;
  const ask = async ({ number, signal }: AttemptContext): Promise<DatabaseHealth> => {
    const startedAt = clock.now();
    if (source.kind === 'pool') {
      const lease = await Lease.take(source, signal);
      try {
        await lease.client.query(QUESTION);
        lease.giveBack();
      } finally {
        lease.destroy();
      }
    } else {
      await source.client.query(QUESTION);
    }
    return { attempts: number, latencyMs: clock.now() - startedAt };
  };
  return runCall<DatabaseHealth>(policy, options ?? policy, {
    work: ask,
    // Nothing can come of asking again, so errors that nobody knows are worth another attempt here.
    retryOn: error => knownClass(error) ?? classifyError(error),
    isFinal: error => source.kind === 'connection' && !isAnswer(error),
  });
}

/** What a database that answers is like. */
export interface DatabaseHealth {
  /** How many attempts it took. */
  readonly attempts: number;
  /** Milliseconds of the attempt that succeeded, the wait for a connection included. */
  readonly latencyMs: number;
}

const QUESTION = 'SELECT 1';
