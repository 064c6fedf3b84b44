import { reportFault } from './faults.ts';
import { handleStrayPromise } from './stray-promise.ts';

/**
 * How the delay grows over the retries of a call:
 *
 * - `'exponential'` (default): `initialDelay * exponentialBase^(n-1)` before retry n
 * - `'constant'`: `initialDelay`
 * - `'linear'`: `initialDelay * n`
 * - `'fibonacci'`: `initialDelay` times 1, 1, 2, 3, 5 …
 * - a list of milliseconds; the last one repeats
 * - a function of the attempt that failed (from 1) and what it threw
 *
 * Every kind is capped by `maxDelay` and then goes through `jitter`.
 */
export type Backoff =
  | 'exponential'
  | 'constant'
  | 'linear'
  | 'fibonacci'
  | readonly number[]
  | ((attempt: number, error: unknown) => number);

/** What the growth of a delay depends on; all in milliseconds. */
export interface BackoffTerms {
  readonly backoff: Backoff;
  readonly initialDelay: number;
  readonly maxDelay: number;
  readonly exponentialBase: number;
}

/**
 * The delay before retry `retry` (from 1), in milliseconds, before jitter: always a number in [0, maxDelay].
 * A backoff function that throws or returns no usable number gives way to the exponential backoff, and is counted:
 * the answer to a broken backoff must not be a burst.
 */
export function backoffDelay(terms: BackoffTerms, retry: number, error: unknown): number {
  return Math.min(rawDelay(terms, retry, error), terms.maxDelay);
}

function rawDelay(terms: BackoffTerms, retry: number, error: unknown): number {
  const { backoff, initialDelay } = terms;
  if (typeof backoff === 'function') return customDelay(terms, backoff, retry, error);
  if (typeof backoff !== 'string') return backoff[Math.min(retry, backoff.length) - 1] ?? initialDelay;
  switch (backoff) {
    case 'constant':
      return initialDelay;
    case 'linear':
      return initialDelay * retry;
    case 'fibonacci':
      return initialDelay * fibonacci(retry, terms.maxDelay);
    case 'exponential':
      return exponentialDelay(terms, retry);
  }
}

function exponentialDelay(terms: BackoffTerms, retry: number): number {
  // 0 times an infinite power is NaN; a delay of 0 stays 0.
  return terms.initialDelay === 0 ? 0 : terms.initialDelay * terms.exponentialBase ** (retry - 1);
}

function fibonacci(n: number, enough: number): number {
  let [current, next] = [1, 1];
  for (let i = 1; i < n && current < enough; i++) [current, next] = [next, current + next];
  return current;
}

function customDelay(
  terms: BackoffTerms,
  backoff: (attempt: number, error: unknown) => number,
  retry: number,
  error: unknown,
): number {
  try {
    const delay = backoff(retry, error);
    if (typeof delay === 'number' && delay >= 0) return delay;
    handleStrayPromise('backoff', delay);
    reportFault('backoff', new RangeError('the backoff function returned no number of milliseconds'));
  } catch (fault) {
    reportFault('backoff', fault);
  }
  return exponentialDelay(terms, retry);
}
