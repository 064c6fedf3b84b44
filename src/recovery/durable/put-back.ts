/**
 * How often workers that cannot go on with a job put it back, until its call becomes a dead letter: for a day, with the pauses
 * of {@link pauseMs}.
 */
export const MOST_TIMES = 300;

/** How long a job waits that is put back for the n-th time, in milliseconds: 5 s, then twice as long each time, up to 5 min. */
export function pauseMs(n: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (n - 1), LONGEST_PAUSE_MS);
}

const FIRST_PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 300_000;

/** Lets the job that a worker has taken be taken again in `delayMs`, with other data. Rejects where it could not. */
export type PutBack = (data: object, delayMs: number) => Promise<void>;
