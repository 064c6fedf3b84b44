import { reportFault } from './faults.ts';
import type { Fallback } from './options.ts';
import type { RetrySummary } from './retry-summary.ts';

/** The fallback's value; throws or rejects with `error`, untouched, when the fallback itself fails. */
export function fallBack<F>(fallback: Fallback<F>, error: unknown, summary: RetrySummary): F | PromiseLike<F> {
  if (typeof fallback !== 'function') return fallback;
  try {
    const value = (fallback as (error: unknown, summary: RetrySummary) => F | PromiseLike<F>)(error, summary);
    return isThenable(value) ? Promise.resolve(value).catch(fail(error)) : value;
  } catch (fault) {
    return fail(error)(fault);
  }
}

function isThenable<F>(value: F | PromiseLike<F>): value is PromiseLike<F> {
  return typeof value === 'object' && value !== null && 'then' in value;
}

function fail(error: unknown): (fault: unknown) => never {
  return fault => {
    reportFault('fallback', fault);
    throw error;
  };
}
