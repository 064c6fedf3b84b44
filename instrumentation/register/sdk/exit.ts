import { metrics } from '@opentelemetry/api';
import { systemClock } from '../../../src/engine/system-clock.ts';
import { tracerProvider } from './registered.ts';

/** Milliseconds that the last export may take. */
export const FLUSH_LIMIT = 5000;

/**
 * Sends what has been recorded before the process ends: when nothing is left to do, and on SIGTERM. A process that does
 * not listen for SIGTERM dies of it as before, a moment later; one that does decides for itself when to end, and may
 * still record until then.
 *
 * @param shutdown stops telemetry within {@link FLUSH_LIMIT}
 * @returns takes the listeners away
 */
export function flushAtExit(shutdown: () => Promise<void>): () => void {
  const onIdle = (): void => {
    // Whatever others do now is for them to end.
    const isAlone = process.listenerCount('beforeExit') === 0;
    process.off('SIGTERM', onTerminate);
    const startedAt = systemClock.now();
    void shutdown().finally(() => {
      // An exporter that has not given up would keep alive a process in which nothing else is left.
      const isStuck = systemClock.now() - startedAt >= FLUSH_LIMIT;
      if (isStuck && isAlone && process.listenerCount('beforeExit') === 0) process.exit();
    });
  };
  const onTerminate = (): void => {
    // Ours has been taken away before it is called.
    if (process.listenerCount('SIGTERM') > 0) {
      flush(tracerProvider());
      flush(metrics.getMeterProvider());
      return;
    }
    process.off('beforeExit', onIdle);
    void shutdown().finally(() => process.kill(process.pid, 'SIGTERM'));
  };
  // Before the listeners of the app, which may be there by now: those that listen once are gone when they are called.
  process.prependOnceListener('beforeExit', onIdle);
  process.prependOnceListener('SIGTERM', onTerminate);
  return () => {
    process.off('beforeExit', onIdle);
    process.off('SIGTERM', onTerminate);
  };
}

function flush(provider: { readonly forceFlush?: () => Promise<void> } | object | undefined): void {
  if (provider === undefined || !('forceFlush' in provider)) return;
  provider.forceFlush?.().catch(() => undefined);
}
