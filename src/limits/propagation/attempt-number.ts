import { message } from '../../engine/option-checks.ts';

/** The highest number of an attempt that is told or believed. */
export const MOST_ATTEMPTS = 1000;

/** True for a number that an attempt can have. */
export function isAttemptNumber(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST_ATTEMPTS;
}

/**
 * The number to tell of an attempt. From the thousandth on it is 1000: a reader would take more for none, and a call
 * that goes on for so long must not fail because of what it says of itself.
 *
 * @throws RangeError when it is not an integer from 1
 */
export function toldNumber(number: number): number {
  if (!Number.isInteger(number) || number < 1) {
    throw new RangeError(message('attempt.number', number, 'an integer from 1'));
  }
  return Math.min(number, MOST_ATTEMPTS);
}

/** The number that digits from outside stand for; undefined when an attempt cannot have it. */
export function parseAttemptNumber(digits: string | undefined): number | undefined {
  const number = digits !== undefined && /^[1-9]\d{0,3}$/.test(digits) ? Number(digits) : undefined;
  return isAttemptNumber(number) ? number : undefined;
}
