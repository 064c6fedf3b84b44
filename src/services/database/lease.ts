import { callMethod } from '../../engine/call-method.ts';
import { isFunction } from '../../engine/option-checks.ts';
import { read } from '../../engine/read.ts';
import type { PoolSource, Queryable } from './clients.ts';

/**
 * A connection on loan from a pool, for one attempt. It goes back once, whole or destroyed; when the attempt is cut off,
 * it is destroyed at once, since a statement may still be running on it.
 */
export class Lease {
  readonly client: Queryable;
  readonly #signal: AbortSignal;
  #isOut = true;

  /** Borrows a connection; one that comes after the attempt was cut off goes back unused. */
  static async take(pool: PoolSource, signal: AbortSignal): Promise<Lease> {
    const client = (await pool.acquire()) as Queryable;
    if (!isFunction(read(client, 'query')) || !isFunction(read(client, 'release'))) {
      throw new TypeError('The pool lent nothing with query and release; for mysql2, pass a pool of mysql2/promise');
    }
    const lease = new Lease(client, signal);
    if (!signal.aborted) return lease;
    lease.giveBack();
    throw signal.reason;
  }

  private constructor(client: Queryable, signal: AbortSignal) {
    this.client = client;
    this.#signal = signal;
    signal.addEventListener('abort', this.destroy);
    // Without a listener, a connection that breaks while it is on loan would end the process.
    callMethod(client, 'on', 'error', ignore);
  }

  /** Whether the connection is no longer on loan. */
  get isReturned(): boolean {
    return !this.#isOut;
  }

  /** Gives the connection back for others to use. */
  giveBack(): void {
    if (this.#return()) callMethod(this.client, 'release');
  }

  /** Has the connection closed, whatever is running on it. */
  readonly destroy = (): void => {
    if (!this.#return()) return;
    if (isFunction(read(this.client, 'destroy'))) callMethod(this.client, 'destroy');
    else callMethod(this.client, 'release', true);
  };

  #return(): boolean {
    if (!this.#isOut) return false;
    this.#isOut = false;
    this.#signal.removeEventListener('abort', this.destroy);
    callMethod(this.client, 'removeListener', 'error', ignore);
    return true;
  }
}

function ignore(): void {}
