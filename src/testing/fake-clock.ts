import { onAbort } from '../engine/abort.ts';
import type { Clock, Hold } from '../engine/clock.ts';

/**
 * A clock for tests: time stands still until it is told to go on, and every random number is the one that was set.
 *
 * @example
 * ```ts
 * const clock = new FakeClock();
 * const call = retry(flaky, { clock, initialDelay: 1000, jitter: false });
 * await clock.advance(1000);
 * await call;
 * ```
 */
export class FakeClock implements Clock {
  /** What `random()` answers; in [0, 1). */
  nextRandom = 0.5;
  /** Every wait that was asked for, in milliseconds. */
  readonly sleeps: number[] = [];
  #now = 0;
  #timers: Timer[] = [];
  #sequence = 0;

  /** Like a real clock it has no meaningful start; only differences count. */
  now(): number {
    return START + this.#now;
  }

  /** Milliseconds that have passed since the clock was made. */
  get elapsed(): number {
    return this.#now;
  }

  /** The fake epoch is 2024-01-01T00:00:00Z. */
  wallNow(): number {
    return 1_704_067_200_000 + this.#now;
  }

  random(): number {
    return this.nextRandom;
  }

  sleep(ms: number, signal: AbortSignal | undefined, hold: Hold): Promise<void> {
    this.sleeps.push(ms);
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const cancel = this.timer(
        ms,
        () => {
          stopListening?.();
          resolve();
        },
        hold,
      );
      const stopListening =
        signal === undefined
          ? undefined
          : onAbort(signal, () => {
              cancel();
              reject(signal.reason);
            });
    });
  }

  timer(ms: number, callback: () => void, _hold?: Hold): () => void {
    const timer: Timer = { due: this.#now + ms, order: this.#sequence++, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter(other => other !== timer);
    };
  }

  /** Time that is blocked passes at once. */
  block(ms: number): void {
    this.sleeps.push(ms);
    this.#now += ms;
  }

  /** How many timers and waits are pending. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Lets `ms` pass: whatever is due meanwhile happens in order, with the code that follows from it in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers = this.#timers.filter(other => other !== next);
      this.#now = Math.max(this.#now, next.due);
      next.callback();
      await settle();
    }
    this.#now = end;
  }

  /** Lets time pass until nothing is pending any more, at most `limit` timers. */
  async runAll(limit: number = 1000): Promise<void> {
    await settle();
    for (let i = 0; i < limit && this.#timers.length > 0; i++) {
      const soonest = Math.min(...this.#timers.map(timer => timer.due));
      await this.advance(Math.max(0, soonest - this.#now));
    }
  }

  #next(end: number): Timer | undefined {
    return this.#timers
      .filter(timer => timer.due <= end)
      .sort((a, b) => a.due - b.due || a.order - b.order)
      .at(0);
  }
}

const START = 86_400_000;

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
}

/** How many rounds of promise reactions may follow from one timer. */
const ROUNDS = 50;

async function settle(): Promise<void> {
  for (let i = 0; i < ROUNDS; i++) await Promise.resolve();
}
