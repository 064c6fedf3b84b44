import { type FaultSource, reportFault } from './faults.ts';

/**
 * For what came back from code of the user's where nothing is awaited: when it is a promise, its rejection is counted
 * as a fault of `source` and ends no process. True for a promise. Throws what reading `then` of a hostile value throws.
 */
export function handleStrayPromise(source: FaultSource, value: unknown): boolean {
  if (typeof value !== 'object' || value === null || typeof (value as { then?: unknown }).then !== 'function') {
    return false;
  }
  Promise.resolve(value).then(undefined, fault => reportFault(source, fault));
  return true;
}
