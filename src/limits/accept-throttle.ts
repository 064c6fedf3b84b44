import type { Clock } from '../engine/clock.ts';
import type { AdaptiveLimit } from '../engine/limits.ts';
import { type Check, checkClock, checkName, checkOptions, numberFrom } from '../engine/option-checks.ts';
import { systemClock } from '../engine/system-clock.ts';
import { SlidingSum } from './sliding-sum.ts';

/**
 * Google's client-side throttle: over the last `windowMs`, an attempt is refused with the probability
 * max(0, (requests - k * accepts) / (requests + 1)), so that a service that rejects nearly everything is sent about
 * `k` times what it accepts. Requests count when they are asked for, also those refused here.
 * (Source: Site Reliability Engineering, chapter 21, "Client-Side Throttling".)
 */
export class AcceptThrottle implements AdaptiveLimit {
  readonly name: string;
  readonly #k: number;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #requests: SlidingSum;
  readonly #accepts: SlidingSum;

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: AcceptThrottleOptions = {}) {
    checkOptions('adaptive options', options, CHECKS);
    this.name = options.name ?? 'default';
    this.#k = options.k ?? 2;
    this.#clock = options.clock ?? systemClock;
    this.#startedAt = this.#clock.now();
    const windowMs = options.windowMs ?? 120_000;
    this.#requests = new SlidingSum(windowMs, SLICES);
    this.#accepts = new SlidingSum(windowMs, SLICES);
  }

  /** The probability with which the next attempt is refused. */
  get refusalProbability(): number {
    return this.#probabilityAt(this.#elapsedMs());
  }

  admit(): number | undefined {
    const now = this.#elapsedMs();
    const probability = this.#probabilityAt(now);
    this.#requests.add(now, 1);
    return probability > 0 && this.#clock.random() < probability ? undefined : 0;
  }

  record(result: 'success' | 'throttled' | 'failure' | 'ignored'): void {
    if (result === 'success') this.#accepts.add(this.#elapsedMs(), 1);
    // What says nothing about the service must not make it look worse either.
    else if (result === 'ignored') this.#requests.add(this.#elapsedMs(), -1);
  }

  #probabilityAt(now: number): number {
    return refusalProbability(this.#requests.sum(now), this.#accepts.sum(now), this.#k);
  }

  #elapsedMs(): number {
    return this.#clock.now() - this.#startedAt;
  }
}

/** The formula by itself. */
export function refusalProbability(requests: number, accepts: number, k: number): number {
  return Math.max(0, (requests - k * accepts) / (requests + 1));
}

/** How an {@link AcceptThrottle} counts. */
export interface AcceptThrottleOptions {
  /** A name for messages. Default `default`. 1 to 200 characters. */
  readonly name?: string;
  /** How many attempts are sent for each that is accepted. Default 2. Range 1 to 100. */
  readonly k?: number;
  /** Milliseconds. Default 120,000. Range 1000 to 3,600,000. */
  readonly windowMs?: number;
  /** Default: the system's. */
  readonly clock?: Clock;
}

const SLICES = 24;

const CHECKS: Record<keyof AcceptThrottleOptions, Check> = {
  name: checkName,
  k: numberFrom(1, 100),
  windowMs: numberFrom(1000, 3_600_000),
  clock: checkClock,
};
