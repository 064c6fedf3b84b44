import type { Clock } from '../../engine/clock.ts';

/** How long something may take, in milliseconds. */
export interface TimeLimit {
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/**
 * Settles as `work` does, or rejects with the code `ETIMEDOUT` when it takes too long. The process is kept alive until
 * then: it must not leave with a letter that is neither stored nor written to standard error.
 */
export function inTime<T>(work: () => T | PromiseLike<T>, { clock, timeoutMs }: TimeLimit, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(Object.assign(new Error(`${what} takes too long`), { code: 'ETIMEDOUT' }));
    const cancel = clock.timer(timeoutMs, late, 'ref');
    const begin = async (): Promise<T> => work();
    begin().then(resolve, reject).finally(cancel);
  });
}
