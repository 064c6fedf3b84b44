import { type FaultSource, reportFault } from './faults.ts';
import { handleStrayPromise } from './stray-promise.ts';

/**
 * Runs code of the user's that a call has to survive, and gives what it returned; `otherwise` where it throws, or returns a
 * promise that nobody will await. What it throws or rejects with is counted as a fault of `source`.
 */
export function guarded<V>(source: FaultSource, work: () => V, otherwise?: V): V | undefined {
  try {
    const value = work();
    return handleStrayPromise(source, value) ? otherwise : value;
  } catch (fault) {
    reportFault(source, fault);
    return otherwise;
  }
}
