import { callMethod } from '../../../engine/call-method.ts';
import type { Clock } from '../../../engine/clock.ts';
import type { PostgresConnection, PostgresPool, PostgresQueryable } from './clients.ts';

/** Lends connections of a pool for as long as one piece of work takes, and no longer than a time limit. */
export class Connections {
  readonly #pool: PostgresPool;
  readonly #clock: Clock;

  constructor(pool: PostgresPool, clock: Clock) {
    this.#pool = pool;
    this.#clock = clock;
  }

  /**
   * Runs `work` as one transaction, which is durable when this resolves, and rolled back when it rejects. Where the
   * connection breaks while COMMIT is under way, nobody knows which. `lock` is a fixed text: a statement to begin with.
   */
  async transaction<T>(
    timeoutMs: number,
    work: (client: PostgresQueryable) => Promise<T>,
    lock: string = '',
  ): Promise<T> {
    const limit = Math.ceil(timeoutMs);
    // One text, so that it takes one round trip. A process that is stopped in the middle must not hold locks for ever.
    const begin = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL statement_timeout = ${limit};
      SET LOCAL idle_in_transaction_session_timeout = ${limit}; ${WAIT_FOR_DISK}; ${lock}`;
    const ending = await this.ask(timeoutMs, async client => {
      await client.query(begin);
      try {
        const value = await work(client);
        await client.query('COMMIT');
        return { value };
      } catch (error) {
        await rollBack(client, error);
        return { error };
      }
    });
    if ('error' in ending) throw ending.error;
    return ending.value;
  }

  /**
   * Runs `work` on a connection.
   *
   * @throws what `work` and the pool throw, or an error with the code `ETIMEDOUT` when both together take too long
   */
  ask<T>(timeoutMs: number, work: (client: PostgresQueryable) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let loan: Loan | undefined;
      const late = Object.assign(new Error(`PostgreSQL did not answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' });
      let isLate = false;
      const giveUp = (): void => {
        isLate = true;
        loan?.end('close');
        reject(late);
      };
      const cancel = this.#clock.timer(timeoutMs, giveUp, 'unref');
      const run = async (): Promise<T> => {
        loan = new Loan(await this.#pool.connect());
        try {
          if (isLate) throw late;
          const result = await work(loan.client);
          loan.end('give back');
          return result;
        } catch (error) {
          // One that comes too late has nothing running on it.
          loan.end(error === late ? 'give back' : 'close');
          throw error;
        }
      };
      run().then(resolve, reject).finally(cancel);
    });
  }
}

/**
 * Where somebody has set `synchronous_commit` to `off`, the server acknowledges what is not on its disk yet. What is stronger
 * than that is left as it is.
 */
const WAIT_FOR_DISK = `SELECT set_config('synchronous_commit', 'local', true)
  WHERE current_setting('synchronous_commit') = 'off'`;

/** A connection on loan. It goes back once, whole or closed. */
class Loan {
  readonly client: PostgresConnection;
  #isOut = true;

  constructor(client: PostgresConnection) {
    this.client = client;
    // Without a listener, a connection that breaks while it is on loan would end the process.
    callMethod(client, 'on', 'error', ignore);
  }

  end(how: 'give back' | 'close'): void {
    if (!this.#isOut) return;
    this.#isOut = false;
    callMethod(this.client, 'removeListener', 'error', ignore);
    if (how === 'close') callMethod(this.client, 'release', true);
    else callMethod(this.client, 'release');
  }
}

/** Throws `error` where that fails: the connection is of no use then, and closing it rolls back. */
async function rollBack(client: PostgresQueryable, error: unknown): Promise<void> {
  try {
    await client.query('ROLLBACK');
  } catch {
    throw error;
  }
}

function ignore(): void {}
