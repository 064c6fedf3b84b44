import type { Clock } from 'retryscope/core';
import { exponential } from './random.ts';

/** A time in which a server has less capacity. */
export interface Trigger {
  readonly fromMs: number;
  readonly toMs: number;
  /** What is left of the capacity, from 0 to 1. */
  readonly factor: number;
}

/**
 * One server with a queue, first come first served, and exponentially distributed work. It knows nothing of its clients:
 * a request that was given up is worked on all the same, which is what makes a storm.
 */
export class FifoServer {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #trigger: Trigger;
  readonly #random: () => number;
  /** The work that is done when everything in the queue is done, counted from the start. */
  #level = 0;

  constructor(clock: Clock, perSecond: number, trigger: Trigger, random: () => number) {
    this.#clock = clock;
    this.#perMs = perSecond / 1000;
    this.#trigger = trigger;
    this.#random = random;
  }

  /** Resolves when the server has done this request. */
  request(): Promise<void> {
    const now = this.#clock.now();
    this.#level = Math.max(this.#level, this.#workBy(now)) + exponential(1, this.#random);
    return this.#clock.sleep(this.#timeOf(this.#level) - now, undefined, 'ref');
  }

  /** What a server that is never idle has done by then. */
  #workBy(ms: number): number {
    const { fromMs, toMs, factor } = this.#trigger;
    const slow = Math.min(Math.max(ms - fromMs, 0), toMs - fromMs);
    return (ms - slow + slow * factor) * this.#perMs;
  }

  /** When such a server has done so much. */
  #timeOf(work: number): number {
    const { fromMs, toMs, factor } = this.#trigger;
    const ms = work / this.#perMs;
    if (ms <= fromMs) return ms;
    const slow = (ms - fromMs) / factor;
    return slow <= toMs - fromMs ? fromMs + slow : ms + (toMs - fromMs) * (1 - factor);
  }
}
