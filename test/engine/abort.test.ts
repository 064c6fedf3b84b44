import { getEventListeners } from 'node:events';
import { RetryPolicy, retry } from '../../src/core.ts';
import { onAbort } from '../../src/engine/abort.ts';

describe('onAbort', () => {
  it('shares one listener on a signal and removes it with the last watcher', () => {
    const { signal } = new AbortController();
    const stops = Array.from({ length: 1000 }, () => onAbort(signal, () => undefined));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    for (const stop of stops) stop();
    for (const stop of stops) stop();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('calls every watcher once, but none that has stopped meanwhile', () => {
    const controller = new AbortController();
    const called: string[] = [];
    const stops: (() => void)[] = [];
    onAbort(controller.signal, () => {
      called.push('a');
      stops[1]?.();
    });
    stops.push(onAbort(controller.signal, () => called.push('b')));
    stops.push(onAbort(controller.signal, () => called.push('c')));
    controller.abort();
    expect(called).toEqual(['a', 'b']);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('watches anew after everybody has stopped', () => {
    const controller = new AbortController();
    onAbort(controller.signal, () => undefined)();
    const called = jest.fn();
    onAbort(controller.signal, called);
    controller.abort();
    expect(called).toHaveBeenCalledTimes(1);
  });
});

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

  it('aborts all calls that wait at that moment at once', async () => {
    const controller = new AbortController();
    const calls = Array.from({ length: 1000 }, () =>
      retry(() => Promise.reject(new Error('down')), { initialDelay: 60_000, signal: controller.signal }).catch(
        (error: unknown) => error,
      ),
    );
    await new Promise(resolve => setTimeout(resolve, 5));
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(new Set(await Promise.all(calls))).toEqual(new Set([reason]));
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });
});
