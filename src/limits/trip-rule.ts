import { type Check, checkOptions, integerFrom, message, numberFrom, oneOf } from '../engine/option-checks.ts';
import { read } from '../engine/read.ts';
import { SlidingSum } from './sliding-sum.ts';

/**
 * When a closed circuit opens:
 *
 * - `consecutive`: after `failures` failures in a row
 * - `count`: when of the last `size` attempts at least `failureRatio` have failed; not before `minimum` attempts
 * - `time`: when of the attempts of the last `windowMs` at least `failureRatio` have failed; not below `minimum` attempts
 */
export type TripRule =
  | { readonly kind: 'consecutive' /** Default 5. An integer from 1 to 10,000. */; readonly failures?: number }
  | {
      readonly kind: 'count';
      /** Default 100. An integer from 1 to 10,000. */
      readonly size?: number;
      /** Default 0.5. Range 0.001 to 1. */
      readonly failureRatio?: number;
      /** Default: as many as `size`. An integer from 1 to `size`. */
      readonly minimum?: number;
    }
  | {
      readonly kind: 'time';
      /** Milliseconds. Default 10,000. Range 100 to 3,600,000. */
      readonly windowMs?: number;
      /** Default 0.5. Range 0.001 to 1. */
      readonly failureRatio?: number;
      /** Default 20. An integer from 1 to 1,000,000. */
      readonly minimum?: number;
    };

/** What a rule has seen since the circuit was closed. */
export interface TripWindow {
  /** Takes in one attempt, `elapsedMs` after the circuit was closed; true when the circuit is to open. */
  trips(result: 'success' | 'failure', elapsedMs: number): boolean;
}

/** An empty window of this rule. */
export function openWindow(rule: TripRule): TripWindow {
  switch (rule.kind) {
    case 'consecutive':
      return new ConsecutiveWindow(rule.failures ?? 5);
    case 'count':
      return new CountWindow(rule.size ?? 100, rule.failureRatio ?? 0.5, rule.minimum ?? rule.size ?? 100);
    case 'time':
      return new TimeWindow(rule.windowMs ?? 10_000, rule.failureRatio ?? 0.5, rule.minimum ?? 20);
  }
}

/** A check for a {@link TripRule}. */
export const checkTripRule: Check = (name, value) => {
  const given = read(value, 'kind');
  kind(`${name}.kind`, given);
  checkOptions(name, value, RULE_CHECKS[given as TripRule['kind']], `${name}.`);
  const rule = value as Readonly<Record<string, unknown>>;
  const size = (rule.size ?? 100) as number;
  if (given === 'count' && ((rule.minimum ?? 0) as number) > size) {
    throw new RangeError(message(`${name}.minimum`, rule.minimum, `an integer from 1 to ${name}.size, ${size}`));
  }
};

const kind = oneOf('consecutive', 'count', 'time');
const ratio = numberFrom(0.001, 1);
const RULE_CHECKS: Record<TripRule['kind'], Readonly<Record<string, Check>>> = {
  consecutive: { kind, failures: integerFrom(1, 10_000) },
  count: { kind, size: integerFrom(1, 10_000), failureRatio: ratio, minimum: integerFrom(1, 10_000) },
  time: { kind, windowMs: numberFrom(100, 3_600_000), failureRatio: ratio, minimum: integerFrom(1, 1_000_000) },
};

class ConsecutiveWindow implements TripWindow {
  readonly #limit: number;
  #failures = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  trips(result: 'success' | 'failure'): boolean {
    this.#failures = result === 'failure' ? this.#failures + 1 : 0;
    return this.#failures >= this.#limit;
  }
}

class CountWindow implements TripWindow {
  readonly #failed: Uint8Array;
  readonly #ratio: number;
  readonly #minimum: number;
  #seen = 0;
  #failures = 0;

  constructor(size: number, failureRatio: number, minimum: number) {
    this.#failed = new Uint8Array(size);
    this.#ratio = failureRatio;
    this.#minimum = minimum;
  }

  trips(result: 'success' | 'failure'): boolean {
    const slot = this.#seen % this.#failed.length;
    const failed = result === 'failure' ? 1 : 0;
    this.#failures += failed - (this.#failed[slot] as number);
    this.#failed[slot] = failed;
    this.#seen++;
    const counted = Math.min(this.#seen, this.#failed.length);
    return failed === 1 && counted >= this.#minimum && this.#failures >= this.#ratio * counted;
  }
}

/** In how many slices a window of time expires. */
const SLICES = 10;

class TimeWindow implements TripWindow {
  readonly #attempts: SlidingSum;
  readonly #failures: SlidingSum;
  readonly #ratio: number;
  readonly #minimum: number;

  constructor(windowMs: number, failureRatio: number, minimum: number) {
    this.#attempts = new SlidingSum(windowMs, SLICES);
    this.#failures = new SlidingSum(windowMs, SLICES);
    this.#ratio = failureRatio;
    this.#minimum = minimum;
  }

  trips(result: 'success' | 'failure', elapsedMs: number): boolean {
    this.#attempts.add(elapsedMs, 1);
    if (result === 'success') return false;
    this.#failures.add(elapsedMs, 1);
    const attempts = this.#attempts.sum(elapsedMs);
    return attempts >= this.#minimum && this.#failures.sum(elapsedMs) >= this.#ratio * attempts;
  }
}
