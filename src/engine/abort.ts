/**
 * Calls `listener` once when `signal` aborts, unless the returned function is called before. Of a signal that has
 * aborted already nothing comes any more: look at `signal.aborted` first.
 *
 * All calls that watch one signal share one event listener on it, so a signal that lives as long as the process
 * never collects listeners and never warns about them. The shared one is removed with the last watcher.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const watch = watches.get(signal) ?? startWatch(signal);
  watch.listeners.add(listener);
  return () => {
    if (watch.listeners.delete(listener) && watch.listeners.size === 0) stopWatch(signal, watch);
  };
}

interface Watch {
  readonly listeners: Set<() => void>;
  readonly handler: () => void;
}

const watches = new WeakMap<AbortSignal, Watch>();

function startWatch(signal: AbortSignal): Watch {
  const listeners = new Set<() => void>();
  const watch: Watch = {
    listeners,
    handler: () => {
      stopWatch(signal, watch);
      for (const listener of [...listeners]) {
        if (listeners.delete(listener)) listener();
      }
    },
  };
  watches.set(signal, watch);
  signal.addEventListener('abort', watch.handler);
  return watch;
}

function stopWatch(signal: AbortSignal, watch: Watch): void {
  if (watches.get(signal) === watch) watches.delete(signal);
  signal.removeEventListener('abort', watch.handler);
}
