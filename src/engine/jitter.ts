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

/** The bounds of a delay in milliseconds: a uniform draw in [low, high), or exactly `low` where both are equal. */
export interface DelayRange {
  readonly low: number;
  readonly high: number;
}

/** The range that `jitter` draws from, for a delay `d` in [0, maxDelay]; all in milliseconds. */
export function jitterRange(
  jitter: Jitter,
  d: number,
  terms: { readonly initialDelay: number; readonly maxDelay: number },
  previousDelay: number,
): DelayRange {
  switch (jitter) {
    case true:
      return { low: d * 0.5, high: Math.min(d * 1.5, terms.maxDelay) };
    case 'full':
      return { low: 0, high: d };
    case 'equal':
      return { low: d * 0.5, high: d };
    case 'proportional':
      return { low: d * 0.8, high: Math.min(d * 1.2, terms.maxDelay) };
    case 'decorrelated': {
      const low = Math.min(terms.initialDelay, terms.maxDelay);
      return { low, high: Math.max(low, Math.min(3 * Math.max(previousDelay, low), terms.maxDelay)) };
    }
    case false:
      return { low: d, high: d };
  }
}

/** The point of the range at `random`, a number in [0, 1). */
export function pick(range: DelayRange, random: number): number {
  return range.low + (range.high - range.low) * random;
}
