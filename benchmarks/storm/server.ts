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
 *
 * It has its full pace again as soon as the trigger is over. A model in which a request that was begun in the trigger is
 * also finished at that pace recovers later from a total outage, and by luck: in 109 to 363 s instead of 106 to 154 s
 * without retries (HotOS setting). Which policies recover is the same.
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

  /** Resolves when the server has done this request; never when that is after the client's patience, in milliseconds. */
  request(patienceMs: number): Promise<void> {
    const now = this.#clock.now();
    this.#level = Math.max(this.#level, this.#workBy(now)) + exponential(1, this.#random);
    const waitMs = this.#timeOf(this.#level) - now;
    // The work is counted; an answer that nobody waits for would only fill the memory until then.
    if (waitMs > patienceMs) return new Promise(() => undefined);
    return this.#clock.sleep(waitMs, undefined, 'ref');
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
