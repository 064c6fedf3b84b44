import { AsyncLocalStorage } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import { systemClock } from '../../src/engine/system-clock.ts';
import { FakeClock } from '../../src/testing/index.ts';

describe('the system clock', () => {
  it('lets the waits of one millisecond share one timer, each in its own context', async () => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    // A spy is no timer of Node's own, so sharing is off while it is there; its count shows that.
    await Promise.all([systemClock.sleep(1, undefined, 'ref'), systemClock.sleep(1, undefined, 'ref')]);
    expect(timers).toHaveBeenCalledTimes(2);
    timers.mockRestore();
    const before = process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length;
    const storage = new AsyncLocalStorage<number>();
    const seen: (number | undefined)[] = [];
    const waits = Array.from({ length: 500 }, (_, i) =>
      storage.run(i, async () => {
        await systemClock.sleep(50, undefined, 'ref');
        seen.push(storage.getStore());
      }),
    );
    const during = process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length;
    expect(during - before).toBeLessThan(100);
    await Promise.all(waits);
    expect(seen.sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });

  it('is never early', async () => {
    for (const ms of [0, 1, 1.2, 7.9, 20]) {
      const start = systemClock.now();
      await systemClock.sleep(ms, undefined, 'ref');
      expect(systemClock.now() - start).toBeGreaterThanOrEqual(ms);
    }
  });

  it('ends waits in the order in which they are due', async () => {
    const gapMs = 10;
    const run = async (): Promise<{ order: number[]; stoodStillMs: number }> => {
      const order: number[] = [];
      let stoodStillMs = 0;
      let last = performance.now();
      const watch = setInterval(() => {
        const now = performance.now();
        stoodStillMs = Math.max(stoodStillMs, now - last);
        last = now;
      }, 1);
      await Promise.all(
        [3 * gapMs, gapMs, 2 * gapMs, 0].map(async ms => {
          await systemClock.sleep(ms, undefined, 'ref');
          order.push(ms);
        }),
      );
      clearInterval(watch);
      return { order, stoodStillMs: Math.max(stoodStillMs, performance.now() - last) };
    };
    // A machine that stands still for as long as lies between two waits has both of them due at once: such a run says
    // nothing. The first one without that has to be right.
    let result = await run();
    for (let again = 0; again < 50 && result.stoodStillMs >= gapMs; again++) result = await run();
    expect(result.stoodStillMs).toBeLessThan(gapMs);
    expect(result.order).toEqual([0, gapMs, 2 * gapMs, 3 * gapMs]);
  });

  it('gives every wait its own timer under fake timers, also after they were cleared', async () => {
    jest.useFakeTimers();
    try {
      void systemClock.sleep(100, undefined, 'ref');
      jest.clearAllTimers();
      const wait = systemClock.sleep(100, undefined, 'ref');
      await jest.advanceTimersByTimeAsync(100);
      await expect(wait).resolves.toBeUndefined();
    } finally {
      jest.useRealTimers();
    }
  });

  it('rejects with the reason as soon as the signal aborts, and leaves no timer', async () => {
    const controller = new AbortController();
    const before = process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length;
    const wait = systemClock.sleep(60_000, controller.signal, 'ref');
    controller.abort('enough');
    await expect(wait).rejects.toBe('enough');
    await expect(systemClock.sleep(1, controller.signal, 'ref')).rejects.toBe('enough');
    expect(process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length).toBe(before);
  });

  it('does not turn a long wait into none', async () => {
    const warnings = jest.fn();
    process.on('warning', warnings);
    const controller = new AbortController();
    const settled = jest.fn();
    const waits = [2 ** 31 - 1, 2 ** 40, Infinity].flatMap(ms => [
      systemClock.sleep(ms, controller.signal, 'unref').then(settled, () => undefined),
    ]);
    const cancel = systemClock.timer(2 ** 40, settled, 'unref');
    void systemClock.sleep(2 ** 31 - 1, undefined, 'unref').then(settled);
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(settled).not.toHaveBeenCalled();
    expect(warnings).not.toHaveBeenCalled();
    process.off('warning', warnings);
    cancel();
    controller.abort();
    await Promise.all(waits);
  });

  it('blocks the thread on request', () => {
    const start = systemClock.now();
    systemClock.block(15);
    expect(systemClock.now() - start).toBeGreaterThanOrEqual(14.5);
  });
});

describe('the fake clock', () => {
  it('moves only when told, in order', async () => {
    const clock = new FakeClock();
    const order: string[] = [];
    void clock.sleep(20, undefined, 'ref').then(() => order.push(`20 at ${clock.elapsed}`));
    clock.timer(10, () => order.push(`10 at ${clock.elapsed}`));
    const cancel = clock.timer(15, () => order.push('never'));
    cancel();
    await clock.advance(5);
    expect(order).toEqual([]);
    await clock.advance(30);
    expect(order).toEqual(['10 at 10', '20 at 20']);
    expect([clock.elapsed, clock.pending, clock.wallNow()]).toEqual([35, 0, 1_704_067_200_035]);
  });
});

describe('a wait that may not keep the process alive', () => {
  const { setTimeout: realSetTimeout } = globalThis;
  const unreferenced = (start: () => unknown): number => {
    const made: NodeJS.Timeout[] = [];
    globalThis.setTimeout = ((...args: Parameters<typeof realSetTimeout>) => {
      const timer = realSetTimeout(...args);
      made.push(timer);
      return timer;
    }) as typeof realSetTimeout;
    start();
    globalThis.setTimeout = realSetTimeout;
    expect(made).toHaveLength(1);
    const count = made.filter(timer => !timer.hasRef()).length;
    for (const timer of made) clearTimeout(timer);
    return count;
  };

  it.each<['ref' | 'unref', number]>([
    ['ref', 0],
    ['unref', 1],
  ])('%s', (hold, expected) => {
    const { signal } = new AbortController();
    expect(unreferenced(() => void systemClock.sleep(1000, undefined, hold))).toBe(expected);
    expect(unreferenced(() => void systemClock.sleep(1000, signal, hold))).toBe(expected);
    expect(unreferenced(() => systemClock.timer(1000, () => undefined, hold))).toBe(expected);
  });

  it('makes no fuss when the timers of a test cannot be unreferenced', async () => {
    globalThis.setTimeout = ((callback: () => void) => {
      queueMicrotask(callback);
      return 5;
    }) as never;
    try {
      await systemClock.sleep(10, undefined, 'unref');
    } finally {
      globalThis.setTimeout = realSetTimeout;
    }
  });
});

describe('a wait with a signal', () => {
  it('ends in time, and leaves no listener', async () => {
    const { signal } = new AbortController();
    const started = systemClock.now();
    await systemClock.sleep(15, signal, 'ref');
    expect(systemClock.now() - started).toBeGreaterThanOrEqual(14);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('waits of the same millisecond', () => {
  it('can be shared again when it has passed', async () => {
    for (let i = 0; i < 3; i++) await Promise.all([0, 0, 0].map(ms => systemClock.sleep(ms, undefined, 'ref')));
    expect(systemClock.random()).toBeGreaterThanOrEqual(0);
    expect(Math.abs(systemClock.wallNow() - Date.now())).toBeLessThan(1000);
  });
});
