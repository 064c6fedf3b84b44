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
  readonly onCut: (by: Cut) => unknown;
  /** Told after the rejection is certain, with its reason: the moment to abort what still runs. */
  readonly afterCut: (reason: unknown) => void;
  /** Told when work that was cut off settles after all. */
  readonly onLate: (result: 'success' | 'failure') => void;
  /** Given the function that cuts the work off by hand, for work that somebody else may make superfluous. */
  readonly onStart?: (cut: () => void) => void;
}

/** What cuts a piece of work off: `lost` is by hand. */
export type Cut = 'abort' | 'timeout' | 'lost';

/**
 * Settles as `work` does, or rejects as soon as a limit is hit, whether or not the work takes notice. What the work
 * brings later is swallowed. Nothing is left behind on the signal or the clock. Where the signal has aborted already,
 * the work is not begun.
 */
export function withLimits<R>(limits: Limits, work: () => R | PromiseLike<R>): Promise<R> {
  return new Promise<R>((resolve, reject) => {
    const { signal, clock, hold, timeoutMs } = limits;
    let cutBy: Cut | undefined;
    let stopListening: (() => void) | undefined;
    let stopTimer: (() => void) | undefined;
    const release = (): void => {
      stopListening?.();
      stopTimer?.();
    };
    const cut = (by: Cut): void => {
      release();
      cutBy = by;
      const reason = limits.onCut(by);
      reject(reason);
      limits.afterCut(reason);
    };
    // A signal tells nobody of an abort that lies behind it, as one between two steps of the call.
    if (signal?.aborted === true) return cut('abort');
    if (signal !== undefined) stopListening = onAbort(signal, () => cut('abort'));
    if (timeoutMs !== Infinity) stopTimer = clock.timer(timeoutMs, () => cut('timeout'), hold);
    const fail = (error: unknown): void => {
      release();
      if (cutBy === undefined) reject(error);
      else if (cutBy !== 'lost') limits.onLate('failure');
    };
    limits.onStart?.(() => cut('lost'));
    try {
      Promise.resolve(work()).then(value => {
        release();
        if (cutBy === undefined) resolve(value);
        else if (cutBy !== 'lost') limits.onLate('success');
      }, fail);
    } catch (error) {
      fail(error);
    }
  });
}
