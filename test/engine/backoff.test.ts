import * as fc from 'fast-check';
import { type Backoff, type BackoffTerms, backoffDelay } from '../../src/engine/backoff.ts';
import { faultCounts } from '../../src/engine/faults.ts';
import { type Jitter, longestDelay, pick, shortestDelay } from '../../src/engine/jitter.ts';

const terms = (options: Partial<BackoffTerms> = {}): BackoffTerms => ({
  backoff: 'exponential',
  initialDelay: 1000,
  maxDelay: 30_000,
  exponentialBase: 2,
  ...options,
});
const delays = (options: Partial<BackoffTerms>, count = 6): number[] =>
  Array.from({ length: count }, (_, i) => backoffDelay(terms(options), i + 1, undefined));

describe('backoff', () => {
  it.each<[string, Partial<BackoffTerms>, number[]]>([
    ['exponential, the numbers of the documentation', {}, [1000, 2000, 4000, 8000, 16_000, 30_000]],
    ['exponential with base 3', { exponentialBase: 3 }, [1000, 3000, 9000, 27_000, 30_000, 30_000]],
    ['exponential with base 1', { exponentialBase: 1 }, [1000, 1000, 1000, 1000, 1000, 1000]],
    ['constant', { backoff: 'constant' }, [1000, 1000, 1000, 1000, 1000, 1000]],
    ['linear', { backoff: 'linear' }, [1000, 2000, 3000, 4000, 5000, 6000]],
    ['fibonacci', { backoff: 'fibonacci' }, [1000, 1000, 2000, 3000, 5000, 8000]],
    ['a list, whose last delay repeats', { backoff: [5, 10, 40_000] }, [5, 10, 30_000, 30_000, 30_000, 30_000]],
    ['a function', { backoff: n => n * 7 }, [7, 14, 21, 28, 35, 42]],
    ['an initial delay of 0', { initialDelay: 0 }, [0, 0, 0, 0, 0, 0]],
    ['an initial delay above the cap', { initialDelay: 50_000 }, [30_000, 30_000, 30_000, 30_000, 30_000, 30_000]],
  ])('%s', (_name, options, expected) => {
    expect(delays(options)).toEqual(expected);
  });

  it('keeps fibonacci finite for any retry', () => {
    expect(backoffDelay(terms({ backoff: 'fibonacci' }), 100_000, undefined)).toBe(30_000);
    expect(backoffDelay(terms({ backoff: 'fibonacci', initialDelay: 0 }), 100_000, undefined)).toBe(0);
    expect(backoffDelay(terms({ initialDelay: 0 }), 5000, undefined)).toBe(0);
  });

  it('tells a function the attempt and the error', () => {
    const error = new Error('x');
    const backoff = jest.fn(() => 1);
    backoffDelay(terms({ backoff }), 4, error);
    expect(backoff).toHaveBeenCalledWith(4, error);
  });

  it.each<[string, () => number]>([
    ['NaN', () => Number.NaN],
    ['a negative number', () => -1],
    ['no number', () => 'soon' as never],
    [
      'an exception',
      () => {
        throw new Error('broken');
      },
    ],
  ])('falls back to the exponential delay when a function gives %s, and counts it', (_name, backoff) => {
    const before = faultCounts().get('backoff') ?? 0;
    expect(delays({ backoff }, 3)).toEqual([1000, 2000, 4000]);
    expect(faultCounts().get('backoff')).toBe(before + 3);
  });

  it('caps an infinite answer', () => {
    expect(delays({ backoff: () => Infinity }, 1)).toEqual([30_000]);
  });

  it('is a number from 0 to maxDelay, whatever the options', () => {
    const ms = fc.double({ min: 0, max: 2 ** 31 - 1, noNaN: true });
    const kinds = fc.oneof<fc.Arbitrary<Backoff>[]>(
      fc.constantFrom<Backoff>('exponential', 'constant', 'linear', 'fibonacci'),
      fc.array(ms, { minLength: 1 }),
      fc.double().map(value => () => value),
    );
    fc.assert(
      fc.property(
        kinds,
        ms,
        ms,
        fc.double({ min: 1, max: 1000, noNaN: true }),
        fc.integer({ min: 1, max: 1e6 }),
        (backoff, initialDelay, maxDelay, exponentialBase, retry) => {
          const delay = backoffDelay({ backoff, initialDelay, maxDelay, exponentialBase }, retry, undefined);
          return delay >= 0 && delay <= maxDelay;
        },
      ),
    );
  });
});

describe('jitter', () => {
  const cap = { initialDelay: 1000, maxDelay: 30_000 };

  it.each<[Jitter, number, number, number, number]>([
    [true, 1000, 0, 500, 1500],
    [true, 2000, 0, 1000, 3000],
    [true, 4000, 0, 2000, 6000],
    [true, 8000, 0, 4000, 12_000],
    [true, 30_000, 0, 15_000, 30_000],
    ['full', 4000, 0, 0, 4000],
    ['equal', 4000, 0, 2000, 4000],
    ['proportional', 4000, 0, 3200, 4800],
    ['proportional', 30_000, 0, 24_000, 30_000],
    ['decorrelated', 4000, 0, 1000, 3000],
    ['decorrelated', 4000, 2500, 1000, 7500],
    ['decorrelated', 4000, 20_000, 1000, 30_000],
    [false, 4000, 0, 4000, 4000],
  ])('%s spreads %d ms (after %d) over [%d, %d)', (jitter, delay, previous, low, high) => {
    const terms = { ...cap, jitter };
    expect([shortestDelay(terms, delay), longestDelay(terms, delay, previous)]).toEqual([low, high]);
  });

  it('keeps decorrelated in order when the cap is below the initial delay', () => {
    const terms = { jitter: 'decorrelated', initialDelay: 1000, maxDelay: 100 } as const;
    expect([shortestDelay(terms, 100), longestDelay(terms, 100, 0)]).toEqual([100, 100]);
  });

  it('never exceeds the cap nor comes from outside the range', () => {
    const jitters = fc.constantFrom<Jitter>(true, false, 'full', 'equal', 'proportional', 'decorrelated');
    const ms = fc.double({ min: 0, max: 2 ** 31 - 1, noNaN: true });
    fc.assert(
      fc.property(
        jitters,
        ms,
        ms,
        ms,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (jitter, delay, initialDelay, maxDelay, random) => {
          const terms = { jitter, initialDelay, maxDelay };
          const d = Math.min(delay, maxDelay);
          const [shortest, longest] = [shortestDelay(terms, d), longestDelay(terms, d, 0)];
          const drawn = pick(shortest, longest, random);
          return shortest <= longest && drawn >= shortest && drawn <= maxDelay;
        },
      ),
    );
  });

  it.each([
    [Number.NaN, 2000],
    [-1, 2000],
    [undefined, 2000],
    [-Infinity, 2000],
    [1, 3000],
    [5, 3000],
    [Infinity, 3000],
  ])('stays in the range when a clock draws %p', (random, delay) => {
    expect(pick(1000, 3000, random as number)).toBe(delay);
    expect(pick(1000, 1000, random as number)).toBe(1000);
  });

  it('does not pile up at the cap: the draw is spread up to it', () => {
    const drawn = Array.from({ length: 100 }, (_, i) =>
      pick(shortestDelay({ ...cap, jitter: true }, 30_000), longestDelay({ ...cap, jitter: true }, 30_000, 0), i / 100),
    );
    expect(new Set(drawn).size).toBe(100);
  });
});
