import { type Check, checkOptions, isNumber, message, numberFrom } from '../engine/option-checks.ts';
import type { ErrorClass } from '../engine/outcome.ts';
import { isObject, read } from '../engine/read.ts';

/**
 * Tokens are counted in whole billionths: sums of fractions like 0.1 drift, sums of integers do not, so a ratio is kept
 * exactly over any number of calls.
 */
export const UNITS_PER_TOKEN = 1_000_000_000;

/** The most tokens that still count exactly. */
export const MOST_TOKENS = 1_000_000;

/** Whole units for tokens. */
export function toUnits(tokens: number): number {
  return Math.round(tokens * UNITS_PER_TOKEN);
}

/** Tokens for whole units. */
export function toTokens(units: number): number {
  return units / UNITS_PER_TOKEN;
}

/** What one retry costs, in tokens: one number, or one for each kind of failure. Range 0 to 1,000,000. */
export type RetryCost = number | RetryCosts;

/** Costs by kind of failure; what is left out costs as much as `transient`, and that 1. */
export interface RetryCosts {
  readonly transient?: number;
  readonly throttled?: number;
  /** An attempt that ran out of time: `AttemptTimeoutError`, or a code `ETIMEDOUT`. */
  readonly timeout?: number;
}

/** The costs in units, with every kind filled in. */
export interface UnitCosts {
  readonly transient: number;
  readonly throttled: number;
  readonly timeout: number;
}

/** Fills in and converts what a user has given. */
export function unitCosts(cost: RetryCost = 1): UnitCosts {
  const given = typeof cost === 'number' ? { transient: cost } : cost;
  const transient = toUnits(given.transient ?? 1);
  return {
    transient,
    throttled: given.throttled === undefined ? transient : toUnits(given.throttled),
    timeout: given.timeout === undefined ? transient : toUnits(given.timeout),
  };
}

/** What a retry after this failure costs, in units. */
export function costOf(costs: UnitCosts, errorClass: ErrorClass, error: unknown): number {
  if (errorClass === 'throttled') return costs.throttled;
  return costs.timeout !== costs.transient && isTimeout(error) ? costs.timeout : costs.transient;
}

/** A check for a {@link RetryCost}. */
export const checkCost: Check = (name, value) => {
  if (isNumber(value)) return tokens(name, value);
  if (!isObject(value)) {
    throw new TypeError(message(name, value, 'a number of tokens, or an object of them by kind of failure'));
  }
  checkOptions(name, value, { transient: tokens, throttled: tokens, timeout: tokens }, `${name}.`);
};

const tokens = numberFrom(0, MOST_TOKENS);

function isTimeout(error: unknown): boolean {
  const code = read(error, 'code');
  return code === 'ERR_RETRY_ATTEMPT_TIMEOUT' || code === 'ETIMEDOUT';
}
