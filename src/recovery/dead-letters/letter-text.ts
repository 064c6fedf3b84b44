import type { DeadLetter, LetterState } from './letter.ts';
import type { LetterIndex } from './letter-index.ts';
import type { Omission } from './stored-payload.ts';
import { isWholeLetter } from './whole-letter.ts';

/** The letter as JSON, all but its state: that is for the store to keep, since it decides who may work on it. */
export function writeLetter({ state: _, ...letter }: DeadLetter): string {
  return JSON.stringify({ format: LETTER_FORMAT, ...letter });
}

/**
 * The letter that a store has. Never throws: of a text that is damaged, or was written by a newer version of the library,
 * it gives what the index knows, with a marker in place of the payload.
 */
export function readLetter(text: string, index: LetterIndex, state: LetterState): DeadLetter {
  try {
    const { format, ...letter } = JSON.parse(text) as { format: number } & Omit<DeadLetter, 'state'>;
    if (typeof format !== 'number') return remains(index, state, 'damaged');
    if (format > LETTER_FORMAT) return remains(index, state, 'newer_version');
    return isWholeLetter(letter, index) ? Object.freeze({ ...letter, state }) : remains(index, state, 'damaged');
  } catch {
    return remains(index, state, 'damaged');
  }
}

/** True for a letter that could not be read. Its text must stay as it is: a newer version may read it. */
export function isRemains({ payload }: DeadLetter): boolean {
  return payload.kind === 'omitted' && (payload.why === 'newer_version' || payload.why === 'damaged');
}

/** The version of the text. */
export const LETTER_FORMAT = 1;

function remains(index: LetterIndex, state: LetterState, why: Omission): DeadLetter {
  const { errorType, ...known } = index;
  return Object.freeze<DeadLetter>({
    ...known,
    payload: { kind: 'omitted', why, version: 0, bytes: 0, altered: [] },
    error: { type: errorType, message: '[unreadable]' },
    attempts: 0,
    history: [],
    idempotencyKey: index.id,
    state,
  });
}
