import { onAbort } from '../../engine/abort.ts';
import type { Clock } from '../../engine/clock.ts';

/** How long a piece of work may take. */
export interface Patience {
  readonly clock: Clock;
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** Must not have aborted yet. */
  readonly signal: AbortSignal;
}

/**
 * Settles as `work` does, or rejects as soon as it takes too long or the signal aborts. `isWanted` tells the work whether
 * anybody waits for it still; `onLate` is called when it succeeds after all.
 */
export function within<T>(
  { clock, timeoutMs, signal }: Patience,
  work: (isWanted: () => boolean) => Promise<T>,
  onLate: () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const end = (settle: () => void): void => {
      if (isOver) return;
      isOver = true;
      cancel();
      release();
      settle();
    };
    const late = Object.assign(new Error('It takes too long'), { code: 'ETIMEDOUT' });
    const cancel = clock.timer(timeoutMs, () => end(() => reject(late)), 'unref');
    const release = onAbort(signal, () => end(() => reject(signal.reason as Error)));
    work(() => !isOver).then(
      value => (isOver ? onLate() : end(() => resolve(value))),
      error => end(() => reject(error as Error)),
    );
  });
}
