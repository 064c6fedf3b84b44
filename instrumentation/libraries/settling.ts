import { types } from 'node:util';
import { read } from '../../src/engine/read.ts';

/**
 * Tells how the work of an attempt ends that a library waits for. What `work` returns is given back; what only has a
 * `then` is made a promise, since calling that twice may do the work twice.
 */
export function watchAttempt<R>(work: () => R, onValue: () => void, onError: (error: unknown) => void): R {
  const result = work();
  if (!types.isPromise(result) && !isThenable(result)) {
    onValue();
    return result;
  }
  const promise = types.isPromise(result) ? result : Promise.resolve(result);
  promiseThen.call(promise, onValue, onError);
  return promise as R;
}

/**
 * Tells how a call settles that a user waits for. Gives back a promise of the same: to listen beside the user would
 * hide from the process that nobody handles a rejection.
 */
export function watchCall<R>(result: R, onValue: () => void, onError: (error: unknown) => void): R {
  if (!types.isPromise(result)) {
    onValue();
    return result;
  }
  return promiseThen.call(
    result,
    value => {
      onValue();
      return value;
    },
    error => {
      onError(error);
      throw error;
    },
  ) as R;
}

const promiseThen = Promise.prototype.then;

function isThenable(value: unknown): boolean {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof read(value, 'then') === 'function'
  );
}
