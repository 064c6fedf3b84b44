import { getEventListeners } from 'node:events';
import { RetryPolicy } from '../../src/core.ts';

describe('a signal that lives as long as the process', () => {
  it('has no listener left after 1,000,000 calls, and at most one while they run', async () => {
    const { signal } = new AbortController();
    const warnings = jest.fn();
    process.on('warning', warnings);
    const policy = new RetryPolicy({ initialDelay: 0, jitter: false, operation: 'leak' });
    let calls = 0;
    let most = 0;
    const work = (): number => {
      if (++calls % 100_000 === 0) throw new Error('once in a while');
      return calls;
    };
    for (let i = 0; i < 1000; i++) {
      const batch = Array.from({ length: 1000 }, () => policy.execute(work, { signal }));
      most = Math.max(most, getEventListeners(signal, 'abort').length);
      await Promise.all(batch);
    }
    process.off('warning', warnings);
    expect(calls).toBeGreaterThanOrEqual(1_000_000);
    expect(most).toBe(1);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(warnings).not.toHaveBeenCalled();
  }, 120_000);
});
