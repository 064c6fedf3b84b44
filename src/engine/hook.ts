import { guarded } from './guarded.ts';

/** Calls a user's hook. What it throws, or rejects with later, is counted and never passed on. */
export function callHook<E>(hook: (event: E) => unknown, event: E): void {
  guarded('hook', () => hook(event));
}
