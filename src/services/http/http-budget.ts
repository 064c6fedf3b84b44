import type { RetryBudget } from '../../limits/retry-budget.ts';
import { sharedBudget } from '../service-policy.ts';

/**
 * The budget that all HTTP policies of the process share which name none of their own: a {@link RetryBudget} called
 * `http` with its defaults. It is made when it is first needed.
 */
export function httpBudget(): RetryBudget {
  return sharedBudget('http');
}
