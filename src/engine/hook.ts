import { reportFault } from './faults.ts';

/** Calls a user's hook. What it throws, or rejects with later, is counted and never passed on. */
export function callHook<E>(hook: (event: E) => unknown, event: E): void {
  try {
    const result = hook(event);
    // An async hook is not awaited, but its rejection must not become an unhandled one.
    if (typeof result === 'object' && result !== null) Promise.resolve(result).catch(fail);
  } catch (fault) {
    fail(fault);
  }
}

function fail(fault: unknown): void {
  reportFault('hook', fault);
}
