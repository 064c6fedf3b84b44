import { describeError } from 'retryscope';
import type { DeadLetterStore } from 'retryscope/dead-letters';
import { UnavailableError } from '../unavailable-error.ts';
import { UsageError } from '../usage-error.ts';

/** The same store; what its methods reject with becomes one line in which nothing is secret. */
export function guardStore(store: DeadLetterStore, shown: string): DeadLetterStore {
  return new Proxy(store, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]): Promise<unknown> => {
        try {
          return await Reflect.apply(value, target, args);
        } catch (error) {
          throw storeError(error, shown);
        }
      };
    },
  });
}

/** What a store, or its opening, has thrown, as the user of the command is told of it. */
export function storeError(error: unknown, shown: string): Error {
  if (error instanceof UsageError || error instanceof UnavailableError) return error;
  const { type, message } = describeError(error);
  // What a store refuses, as opposed to what it cannot do.
  if (error instanceof TypeError || error instanceof RangeError) return new UsageError(`${shown}: ${message}`);
  return new UnavailableError(`${shown} cannot be used: ${type === 'Error' ? '' : `${type}: `}${message}`);
}
