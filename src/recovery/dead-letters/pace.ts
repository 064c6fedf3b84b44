import type { Clock } from '../../engine/clock.ts';

/** Lets things start no faster than so many per second, evenly. */
export class Pace {
  readonly #clock: Clock;
  readonly #gapMs: number;
  #nextAt = -Infinity;

  constructor(clock: Clock, ratePerSecond: number) {
    this.#clock = clock;
    this.#gapMs = 1000 / ratePerSecond;
  }

  /** Resolves when the next one may start; rejects when the signal aborts. */
  async wait(signal: AbortSignal | undefined): Promise<void> {
    const now = this.#clock.now();
    const at = Math.max(now, this.#nextAt);
    this.#nextAt = at + this.#gapMs;
    if (at > now) await this.#clock.sleep(at - now, signal, 'ref');
  }
}
