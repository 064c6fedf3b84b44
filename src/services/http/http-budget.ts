import { RetryBudget } from '../../limits/retry-budget.ts';

/**
 * The budget that all HTTP policies of the process share which name none of their own: a {@link RetryBudget} called
 * `http` with its defaults. It is made when it is first needed.
 */
export function httpBudget(): RetryBudget {
  shared[KEY] ??= new RetryBudget({ name: 'http' });
  return shared[KEY];
}

/** Every copy of the package in a process draws from the same budget. */
const KEY = Symbol.for('retryscope.budget.http.1');
const shared = globalThis as { [KEY]?: RetryBudget };
