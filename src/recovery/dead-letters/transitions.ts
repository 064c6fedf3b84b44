import type { FurtherFailure } from './dead-letter-store.ts';
import { type DeadLetter, longerHistory } from './letter.ts';

/** The letter after a redrive that succeeded at `at`: a record, without its payload. */
export function redrivenLetter(letter: DeadLetter, at: number): DeadLetter {
  const { version, bytes, altered } = letter.payload;
  const payload = { kind: 'omitted', why: 'redriven', version, bytes, altered } as const;
  return Object.freeze<DeadLetter>({
    ...letter,
    payload,
    redrives: letter.redrives + 1,
    state: { is: 'redriven', at },
  });
}

/** The letter after a redrive that failed: dead again, or put aside when that was once too often. */
export function failedLetter(letter: DeadLetter, failure: FurtherFailure): DeadLetter {
  const { error, reason, failedAt, quarantineAfter } = failure;
  const redrives = letter.redrives + 1;
  return Object.freeze<DeadLetter>({
    ...letter,
    error,
    reason,
    redrives,
    attempts: letter.attempts + failure.attempts,
    history: longerHistory(letter.history, failure.history),
    lastFailedAt: Math.max(letter.lastFailedAt, failedAt),
    state:
      redrives < quarantineAfter
        ? ({ is: 'dead' } as const)
        : ({ is: 'quarantined', at: failedAt, why: `${redrives} redrives failed` } as const),
  });
}

/** The letter put aside for a human. */
export function quarantinedLetter(letter: DeadLetter, at: number, why: string): DeadLetter {
  return Object.freeze<DeadLetter>({ ...letter, state: { is: 'quarantined', at, why: why.slice(0, LONGEST_WHY) } });
}

/** A quarantined letter, dead again. */
export function revivedLetter(letter: DeadLetter): DeadLetter {
  return Object.freeze<DeadLetter>({ ...letter, redrives: 0, state: { is: 'dead' } });
}

const LONGEST_WHY = 200;

/** What a further failure made of a letter; undefined where there was nothing to change. */
export function afterFailure(changed: Pick<DeadLetter, 'state'> | undefined): 'dead' | 'quarantined' | undefined {
  if (changed === undefined) return undefined;
  return changed.state.is === 'quarantined' ? 'quarantined' : 'dead';
}
