import { reportFault } from './faults.ts';
import type { Fallback } from './options.ts';
import type { RetrySummary } from './retry-summary.ts';

/** The fallback's value; throws or rejects with `error`, untouched, when the fallback itself fails. */
export function fallBack<F>(fallback: Fallback<F>, error: unknown, summary: RetrySummary): F | PromiseLike<F> {
  try {
    const value = typeof fallback === 'function' ? (fallback as Asked<F>)(error, summary) : fallback;
    return isThenable(value) ? Promise.resolve(value).catch(fail(error)) : value;
  } catch (fault) {
    return fail(error)(fault);
  }
}

type Asked<F> = (error: unknown, summary: RetrySummary) => F | PromiseLike<F>;

/** Whatever a promise would be resolved through: a function may have a `then` too. */
function isThenable<F>(value: F | PromiseLike<F>): value is PromiseLike<F> {
  return Object(value) === value && 'then' in (value as object);
}

function fail(error: unknown): (fault: unknown) => never {
  return fault => {
    reportFault('fallback', fault);
    throw error;
  };
}
