/**
 * How long to leave Redis alone after so many failures in a row: two quick looks, since most faults are short, and then
 * twice as long each time, up to about five seconds. `random` in [0, 1) spreads the processes of a fleet.
 */
export function probeDelayMs(failures: number, random: number): number {
  const base = failures < FAILURES_BEFORE_BACKOFF ? FIRST_MS : FIRST_MS * 2 ** (failures - FAILURES_BEFORE_BACKOFF + 1);
  return Math.min(base, LONGEST_MS) * (0.75 + random / 2);
}

const FAILURES_BEFORE_BACKOFF = 3;
const FIRST_MS = 100;
const LONGEST_MS = 5000;
