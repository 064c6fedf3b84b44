import { onAbort } from './abort.ts';
import type { Clock, Hold } from './clock.ts';

/** What can end a piece of work before it has settled by itself. */
export interface Limits {
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
  readonly hold: Hold;
  /** Milliseconds; `Infinity` for none. */
  readonly timeoutMs: number;
  /** Told first that the work is cut off, and by what; gives the reason to reject with. */
  readonly onCut: (by: 'abort' | 'timeout') => unknown;
  /** Told after the rejection is certain, with its reason: the moment to abort what still runs. */
  readonly afterCut: (reason: unknown) => void;
  /** Told when work that was cut off settles after all. */
  readonly onLate: (result: 'success' | 'failure') => void;
}

/**
 * Settles as `work` does, or rejects as soon as a limit is hit, whether or not the work takes notice. What the work
 * brings later is swallowed. Nothing is left behind on the signal or the clock.
 */
export function withLimits<R>(limits: Limits, work: () => R | PromiseLike<R>): Promise<R> {
  return new Promise<R>((resolve, reject) => {
    const { signal, clock, hold, timeoutMs } = limits;
    let isCut = false;
    const cut = (by: 'abort' | 'timeout'): void => {
      release();
      isCut = true;
      const reason = limits.onCut(by);
      reject(reason);
      limits.afterCut(reason);
    };
    const stopListening = signal === undefined ? undefined : onAbort(signal, () => cut('abort'));
    const stopTimer = timeoutMs === Infinity ? undefined : clock.timer(timeoutMs, () => cut('timeout'), hold);
    const release = (): void => {
      stopListening?.();
      stopTimer?.();
    };
    const fail = (error: unknown): void => {
      release();
      if (isCut) limits.onLate('failure');
      else reject(error);
    };
    try {
      Promise.resolve(work()).then(value => {
        release();
        if (isCut) limits.onLate('success');
        else resolve(value);
      }, fail);
    } catch (error) {
      fail(error);
    }
  });
}
