import { reportFault } from './faults.ts';
import { handleStrayPromise } from './stray-promise.ts';

/** Calls a user's hook. What it throws, or rejects with later, is counted and never passed on. */
export function callHook<E>(hook: (event: E) => unknown, event: E): void {
  try {
    handleStrayPromise('hook', hook(event));
  } catch (fault) {
    reportFault('hook', fault);
  }
}
