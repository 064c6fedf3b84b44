import type { Clock } from '../engine/clock.ts';
import type { AdaptiveLimit } from '../engine/limits.ts';
import { type Check, checkClock, checkName, checkOptions, milliseconds } from '../engine/option-checks.ts';
import { systemClock } from '../engine/system-clock.ts';

/**
 * The rate limiter of the AWS SDKs' adaptive mode: off until the first throttled answer, then a bucket of send tokens
 * whose rate falls to 70 % at each throttle and grows back along TCP CUBIC's curve, never above twice the measured
 * rate. (Source: the SDKs' adaptive retry mode; the curve is RFC 9438's with beta 0.7 and C 0.4.)
 *
 * The SDKs let a first attempt wait for its token without end. Here it waits `maxWaitMs` at most, and is refused at
 * once when it would have to wait longer.
 */
export class CubicRate implements AdaptiveLimit {
  readonly name: string;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #maxWaitMs: number;
  #isLimiting = false;
  #fillRate = 0;
  #capacity = MIN_CAPACITY;
  #tokens = 0;
  #filledAt: number | undefined = undefined;
  #lastMaxRate = 0;
  #lastThrottleAt = 0;
  #timeToLastMax = 0;
  #measuredRate = 0;
  #requests = 0;
  #measuredUntil = 0;

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: CubicRateOptions = {}) {
    checkOptions('adaptive options', options, CHECKS);
    this.name = options.name ?? 'default';
    this.#clock = options.clock ?? systemClock;
    this.#maxWaitMs = options.maxWaitMs ?? 5000;
    this.#startedAt = this.#clock.now();
  }

  /** Attempts per second that are let through now; `Infinity` before the first throttle. */
  get ratePerSecond(): number {
    return this.#isLimiting ? this.#fillRate : Infinity;
  }

  /** Attempts per second that the curve would allow: what holds from the first throttle on. */
  get curvePerSecond(): number {
    return this.#fillRate;
  }

  /** Attempts per second that were measured lately. */
  get measuredPerSecond(): number {
    return this.#measuredRate;
  }

  admit(): number | undefined {
    if (!this.#isLimiting) return 0;
    this.#refill(this.#now());
    const missing = 1 - this.#tokens;
    const waitMs = missing <= 0 ? 0 : (missing / this.#fillRate) * 1000;
    if (waitMs > this.#maxWaitMs) return undefined;
    // Taken on credit: whoever comes next waits behind this one.
    this.#tokens -= 1;
    return waitMs;
  }

  record(result: 'success' | 'throttled' | 'failure' | 'ignored'): void {
    if (result === 'ignored') return;
    const now = this.#now();
    this.#measure(now);
    this.#setRate(
      now,
      Math.min(result === 'throttled' ? this.#slowDown(now) : this.#speedUp(now), 2 * this.#measuredRate),
    );
  }

  #slowDown(now: number): number {
    const rate = this.#isLimiting ? Math.min(this.#measuredRate, this.#fillRate) : this.#measuredRate;
    this.#isLimiting = true;
    this.#lastMaxRate = rate;
    this.#lastThrottleAt = now;
    this.#timeToLastMax = timeToReach(rate);
    return rate * BETA;
  }

  #speedUp(now: number): number {
    return cubic(now - this.#lastThrottleAt, this.#timeToLastMax, this.#lastMaxRate);
  }

  #setRate(now: number, rate: number): void {
    this.#refill(now);
    this.#fillRate = Math.max(rate, MIN_FILL_RATE);
    this.#capacity = Math.max(rate, MIN_CAPACITY);
    this.#tokens = Math.min(this.#tokens, this.#capacity);
  }

  #refill(now: number): void {
    const since = this.#filledAt;
    this.#filledAt = now;
    if (since !== undefined) this.#tokens = Math.min(this.#capacity, this.#tokens + (now - since) * this.#fillRate);
  }

  #measure(now: number): void {
    const bucket = Math.floor(now / MEASURED_SECONDS) * MEASURED_SECONDS;
    this.#requests++;
    if (bucket <= this.#measuredUntil) return;
    const rate = this.#requests / (bucket - this.#measuredUntil);
    this.#measuredRate = rate * SMOOTHING + this.#measuredRate * (1 - SMOOTHING);
    this.#requests = 0;
    this.#measuredUntil = bucket;
  }

  /** Seconds since the limiter was made. */
  #now(): number {
    return (this.#clock.now() - this.#startedAt) / 1000;
  }
}

/** How a {@link CubicRate} waits. */
export interface CubicRateOptions {
  /** A name for messages. Default `default`. 1 to 200 characters. */
  readonly name?: string;
  /** The longest wait for a token, in milliseconds. Default 5000. Range 0 to 2^31-1. */
  readonly maxWaitMs?: number;
  /** Default: the system's. */
  readonly clock?: Clock;
}

const BETA = 0.7;
const SCALE = 0.4;
const SMOOTHING = 0.8;
/** Attempts per second. */
const MIN_FILL_RATE = 0.5;
const MIN_CAPACITY = 1;
const MEASURED_SECONDS = 0.5;

/** The rate that the curve allows `seconds` after a throttle. */
export function cubic(seconds: number, timeToLastMax: number, lastMaxRate: number): number {
  const since = seconds - timeToLastMax;
  // Two multiplications, since a general power costs as much as all the rest of a decision.
  return SCALE * since * since * since + lastMaxRate;
}

/** Seconds until the curve is back at the rate at which it was throttled: CUBIC's K. */
export function timeToReach(rate: number): number {
  return Math.cbrt((rate * (1 - BETA)) / SCALE);
}

const CHECKS: Record<keyof CubicRateOptions, Check> = {
  name: checkName,
  maxWaitMs: milliseconds(0),
  clock: checkClock,
};
