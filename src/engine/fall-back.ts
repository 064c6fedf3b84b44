import { reportFault } from './faults.ts';
import type { Fallback } from './options.ts';
import { isObject } from './read.ts';
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
  return isObject(value) && 'then' in value;
}

function fail(error: unknown): (fault: unknown) => never {
  return fault => {
    reportFault('fallback', fault);
    throw error;
  };
}
