import { NonRetryableError } from '../../engine/errors.ts';
import { isFunction } from '../../engine/option-checks.ts';
import { read } from '../../engine/read.ts';
import { isConflict } from './classify-sql-error.ts';
import type { Dialect } from './clients.ts';

/** The client that the function of a transaction gets, and what is to be known of it. */
export interface TransactionClient {
  /** The connection itself, but for what would leave the transaction; see {@link transactionClient}. */
  readonly client: object;
  /** The last error of a statement, if there was one. */
  lastFailure(): { readonly error: unknown } | undefined;
  /** The error that has ended the transaction on the server although COMMIT would not say so, if there was one. */
  ended(): { readonly error: unknown } | undefined;
  /** From now on statements are refused. */
  close(): void;
}

/**
 * Stands in front of a connection for the time of a transaction. After it, statements are refused: what a function has
 * left running would be carried out on its own, outside any transaction, on a connection that others use by then.
 * Giving the connection back is left to `retryTransaction`.
 */
export function transactionClient(connection: object, dialect: Dialect): TransactionClient {
  let isOpen = true;
  let failure: { readonly error: unknown } | undefined;
  let end: { readonly error: unknown } | undefined;
  const failed = (error: unknown): never => {
    failure = { error };
    // MySQL rolls everything back, says nothing at COMMIT, and would carry out alone what comes in between.
    if (dialect === 'mysql' && isConflict(error)) end ??= failure;
    throw error;
  };
  const run = (method: Method, args: unknown[]): unknown => {
    if (end !== undefined) return refuse(args, end.error);
    if (!isOpen) return refuse(args, new NonRetryableError('The transaction has ended; its client runs nothing more'));
    const answer = method.apply(connection, args);
    return isPromise(answer) ? answer.then(undefined, failed) : answer;
  };
  const client = new Proxy(connection, {
    get: (target, key) => {
      // Read on the connection itself: its private fields and getters know no proxy.
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function' || key === 'constructor') return value;
      if (RETURNS.has(key)) return doNothing;
      const method = value as Method;
      if (RUNS.has(key)) return (...args: unknown[]) => run(method, args);
      return method.bind(target);
    },
  });
  return {
    client,
    lastFailure: () => failure,
    ended: () => end,
    close: () => {
      isOpen = false;
    },
  };
}

type Method = (...args: unknown[]) => unknown;

const RUNS: ReadonlySet<PropertyKey> = new Set(['query', 'execute']);
const RETURNS: ReadonlySet<PropertyKey> = new Set(['release', 'destroy', 'end']);

function doNothing(): void {}

/** In the way in which the caller expects an answer: by a callback, or by a promise. */
function refuse(args: readonly unknown[], error: unknown): unknown {
  const callback = args.at(-1);
  if (typeof callback === 'function') {
    queueMicrotask(() => callback(error));
    return undefined;
  }
  return Promise.reject(error);
}

function isPromise(value: unknown): value is Promise<unknown> {
  return isFunction(read(value, 'then')) && isFunction(read(value, 'catch'));
}
