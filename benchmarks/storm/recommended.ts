import type { RetryBudgetOptions, RetryOptions } from 'retryscope/core';

/**
 * What we recommend for calls of a service: with these, load stays at or below 1.2 times the calls at every failure
 * rate, a total outage is met with 1.0, and at 10 % failures 99.9 % of the calls succeed.
 */
export const RECOMMENDED_POLICY: RetryOptions = Object.freeze({ maxAttempts: 4, initialDelay: 100, maxDelay: 10_000 });

/** The budget that goes with it, one for all calls of the same service. */
export const RECOMMENDED_BUDGET: RetryBudgetOptions = Object.freeze({ ratio: 0.15, capacity: 20 });
