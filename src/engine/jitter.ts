/**
 * How a delay d is spread, so that clients that failed together do not come back together. No jitter exceeds
 * `maxDelay`, and none piles up at it: the range is cut, not the drawn value.
 *
 * - `true` (default): uniform in [0.5 d, min(1.5 d, maxDelay))
 * - `'full'`: uniform in [0, d)
 * - `'equal'`: uniform in [d / 2, d)
 * - `'proportional'`: uniform in [0.8 d, min(1.2 d, maxDelay))
 * - `'decorrelated'`: uniform in [initialDelay, min(3 × previous delay, maxDelay)); the backoff kind plays no part
 * - `false`: exactly d
 *
 * `'full'`, `'equal'` and `'decorrelated'` are those of "Exponential Backoff And Jitter", AWS, 2015.
 */
export type Jitter = boolean | 'full' | 'equal' | 'proportional' | 'decorrelated';

/** What a jitter depends on; all in milliseconds. */
export interface JitterTerms {
  readonly jitter: Jitter;
  readonly initialDelay: number;
  readonly maxDelay: number;
}

/** The shortest delay that the jitter draws for a backoff delay `d` in [0, maxDelay]; all in milliseconds. */
export function shortestDelay(terms: JitterTerms, d: number): number {
  switch (terms.jitter) {
    case true:
    case 'equal':
      return d * 0.5;
    case 'full':
      return 0;
    case 'proportional':
      return d * 0.8;
    case 'decorrelated':
      return Math.min(terms.initialDelay, terms.maxDelay);
    case false:
      return d;
  }
}

/** The delay that the jitter draws up to, itself excluded unless it is the shortest one too; all in milliseconds. */
export function longestDelay(terms: JitterTerms, d: number, previousDelay: number): number {
  switch (terms.jitter) {
    case true:
      return Math.min(d * 1.5, terms.maxDelay);
    case 'full':
    case 'equal':
    case false:
      return d;
    case 'proportional':
      return Math.min(d * 1.2, terms.maxDelay);
    case 'decorrelated': {
      const shortest = shortestDelay(terms, d);
      return Math.max(shortest, Math.min(3 * Math.max(previousDelay, shortest), terms.maxDelay));
    }
  }
}

/** The point between two delays at `random`, a number in [0, 1). A clock that draws another one causes no burst. */
export function pick(shortest: number, longest: number, random: number): number {
  return shortest + (longest - shortest) * (random >= 0 ? Math.min(random, 1) : 0.5);
}
