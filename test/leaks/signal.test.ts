import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { attempts, RetryableOperation, RetryPolicy } from '../../src/core.ts';

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

  it('holds no operation that nobody disposes of, and no loop that nobody ends', async () => {
    const { signal } = new AbortController();
    const made: WeakRef<object>[] = [];
    const make = async (i: number): Promise<void> => {
      const operation = new RetryableOperation({ signal });
      const loop = attempts({ signal });
      const turn = await loop.next();
      if (i % 2 === 0) await turn.value.run(() => i);
      await operation.run(() => i);
      made.push(new WeakRef(operation), new WeakRef(loop));
    };
    for (let i = 0; i < 1000; i++) await make(i);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await new Promise(setImmediate);
    collectGarbage();
    // What the machine's registers still point at may be among the last.
    expect(made.filter(each => each.deref() !== undefined).length).toBeLessThan(10);
  });
});

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
