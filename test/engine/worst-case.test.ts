import { RetryPolicy } from '../../src/core.ts';

const exact = { initialDelay: 1000, maxDelay: 30_000, jitter: false } as const;

describe('worstCase', () => {
  it.each<[string, ConstructorParameters<typeof RetryPolicy>[0], number, number]>([
    ['the example of the documentation', { ...exact, maxAttempts: 3 }, 5000, 18_000],
    ['one attempt', { ...exact, maxAttempts: 1 }, 5000, 5000],
    ['seven attempts', { ...exact, maxAttempts: 7 }, 0, 61_000],
    ['jitter at its longest', { ...exact, jitter: true, maxAttempts: 3 }, 0, 4500],
    ['jitter below the cap', { ...exact, jitter: true, maxAttempts: 3, maxDelay: 1000 }, 0, 2000],
    ['decorrelated jitter', { ...exact, jitter: 'decorrelated', maxAttempts: 4 }, 0, 3000 + 9000 + 27_000],
    ['an attempt timeout', { ...exact, maxAttempts: 3, attemptTimeout: 2000 }, 5000, 9000],
    ['a total limit', { ...exact, maxAttempts: 3, maxElapsed: 7000 }, 5000, 7000],
    ['no limit of attempts', { ...exact, maxAttempts: Infinity, maxElapsed: 7000 }, 0, 7000],
    ['nothing but a signal', { ...exact, maxAttempts: Infinity, signal: new AbortController().signal }, 5, Infinity],
    ['a function, whose delays nobody knows', { ...exact, maxAttempts: 3, backoff: () => 1 }, 0, 60_000],
    ['a list', { ...exact, maxAttempts: 4, backoff: [10, 20] }, 0, 50],
    ['very many attempts', { ...exact, maxAttempts: 1_000_000, backoff: 'constant', maxDelay: 1000 }, 0, 999_999_000],
  ])('%s', (_name, options, attemptMs, expected) => {
    expect(new RetryPolicy(options).worstCase(attemptMs)).toBe(expected);
  });

  it('counts what servers may ask for', () => {
    expect(new RetryPolicy({ ...exact, maxAttempts: 3 }).worstCase(0, 'with_hints')).toBe(60_000);
    expect(new RetryPolicy({ ...exact, maxAttempts: 3, retryAfter: false }).worstCase(0, 'with_hints')).toBe(3000);
  });

  it.each([-1, Number.NaN, Infinity, '5'])('refuses %j', attemptMs => {
    expect(() => new RetryPolicy().worstCase(attemptMs as number)).toThrow('attemptMs is');
  });
});
