import { getEventListeners } from 'node:events';
import { retry } from '../../src/core.ts';
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

  it('stays while others watch, and stopping twice takes nothing from them', () => {
    const controller = new AbortController();
    const stop = onAbort(controller.signal, () => undefined);
    const called = jest.fn();
    onAbort(controller.signal, called);
    stop();
    stop();
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    controller.abort();
    expect(called).toHaveBeenCalledTimes(1);
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
