/** The highest number of an attempt that is told or believed. */
export const MOST_ATTEMPTS = 1000;

/** True for a number that an attempt can have. */
export function isAttemptNumber(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST_ATTEMPTS;
}

/** The number that digits from outside stand for; undefined when an attempt cannot have it. */
export function parseAttemptNumber(digits: string | undefined): number | undefined {
  const number = digits !== undefined && /^[1-9]\d{0,3}$/.test(digits) ? Number(digits) : undefined;
  return isAttemptNumber(number) ? number : undefined;
}
