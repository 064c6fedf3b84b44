import { composeObservers } from './compose.ts';
import type { RetryObserver } from './observer.ts';
import { checkObserver } from './option-checks.ts';
import { runtime } from './runtime.ts';

/**
 * Adds an observer to those that watch every policy without an `observer` of its own, also the policies that exist
 * already. Returns the function that takes it away again.
 *
 * @example
 * ```ts
 * const remove = addObserver({ call: info => ({ end: end => audit(info.operation, end.outcome) }) });
 * ```
 */
export function addObserver(observer: RetryObserver): () => void {
  checkObserver('observer', observer);
  runtime.observers.push(observer);
  runtime.observer = composeObservers(runtime.observers);
  return () => {
    const index = runtime.observers.indexOf(observer);
    if (index < 0) return;
    runtime.observers.splice(index, 1);
    runtime.observer = composeObservers(runtime.observers);
  };
}
