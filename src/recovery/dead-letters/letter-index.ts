import type { StopReason } from '../../engine/outcome.ts';
import type { DeadLetter } from './letter.ts';

/** What a store keeps beside the text of a letter, to find it by. */
export interface LetterIndex {
  readonly id: string;
  readonly queue: string;
  readonly operation: string;
  readonly errorType: string;
  readonly reason: StopReason;
  readonly redrives: number;
  readonly firstFailedAt: number;
  readonly lastFailedAt: number;
  readonly diedAt: number;
}

/** What a letter can be found by. */
export function indexOf(letter: DeadLetter): LetterIndex {
  const { id, queue, operation, error, reason, redrives, firstFailedAt, lastFailedAt, diedAt } = letter;
  return { id, queue, operation, errorType: error.type, reason, redrives, firstFailedAt, lastFailedAt, diedAt };
}
