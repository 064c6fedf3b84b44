import { writeSync } from 'node:fs';
import type { Clock } from '../../engine/clock.ts';
import { read } from '../../engine/read.ts';
import type { DeadLetter } from './letter.ts';

/** The one line of JSON that is written for a letter that its store did not take. It holds the letter as it would have been stored. */
export function lastResortLine(letter: DeadLetter, storeError: string): string {
  return JSON.stringify({ event: 'dead_letter_not_stored', queue: letter.queue, store_error: storeError, letter });
}

/** The line for a call of which no letter could be made. */
export function noLetterLine(queue: string, operation: string, storeError: string): string {
  return JSON.stringify({ event: 'dead_letter_not_stored', queue, operation, store_error: storeError });
}

/**
 * Writes a line to standard error, before it returns: the process may be about to die. A pipe that nobody reads holds it
 * up for a tenth of a second at most, and never throws.
 */
export function writeToStandardError(line: string, clock: Clock): void {
  const bytes = Buffer.from(`${line}\n`);
  let written = 0;
  for (let tries = 0; written < bytes.length && tries < MOST_TRIES; ) {
    try {
      written += writeSync(STANDARD_ERROR, bytes, written);
    } catch (error) {
      if (read(error, 'code') !== 'EAGAIN') return;
      tries++;
      clock.block(PAUSE_MS);
    }
  }
}

const STANDARD_ERROR = 2;
const MOST_TRIES = 20;
const PAUSE_MS = 5;
