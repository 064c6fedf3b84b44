import type { StopReason } from '../../../engine/outcome.ts';
import type { DeadLetter, LetterState, LetterStateName } from '../letter.ts';
import { indexOf } from '../letter-index.ts';
import { readLetter, writeLetter } from '../letter-text.ts';

/** What Redis keeps beside the text of a letter, as JSON of strings: its Lua must change none of the numbers. */
export interface LetterRecord {
  readonly id: string;
  /** The place in the order of letters. */
  readonly order: string;
  readonly queue: string;
  readonly operation: string;
  readonly errorType: string;
  readonly reason: string;
  readonly redrives: string;
  readonly firstFailedAt: string;
  readonly lastFailedAt: string;
  readonly diedAt: string;
  readonly bytes: string;
  readonly state: LetterStateName;
  readonly at?: string;
  readonly why?: string;
  /** The entry of the stream that has the text; the scripts add it. */
  readonly entry?: string;
  readonly token?: string;
  readonly owner?: string;
  /** When the lease ends. */
  readonly lease?: string;
}

/** A letter as it was found, and the entry of the stream that had its text. */
export interface FoundLetter {
  readonly letter: DeadLetter;
  readonly entry: string;
}

/** A letter as arguments of the scripts: its record, and its text. A claim is never written this way. */
export function writtenLetter(letter: DeadLetter): { readonly record: string; readonly text: string } {
  const { id, queue, operation, errorType, reason, redrives, firstFailedAt, lastFailedAt, diedAt } = indexOf(letter);
  const { state } = letter;
  const text = writeLetter(letter);
  const record: LetterRecord = {
    id,
    order: placeOf(letter),
    queue,
    operation,
    errorType,
    reason,
    redrives: String(redrives),
    firstFailedAt: String(firstFailedAt),
    lastFailedAt: String(lastFailedAt),
    diedAt: String(diedAt),
    bytes: String(Buffer.byteLength(text)),
    state: state.is === 'claimed' ? 'dead' : state.is,
    ...('at' in state ? { at: String(state.at) } : undefined),
    ...('why' in state ? { why: state.why } : undefined),
  };
  return { record: jsonForLua(record), text };
}

/** The letter of a record and a text, as it is at `now`: one whose lease has ended is dead. */
export function foundLetter(json: string, text: string, now: number): FoundLetter {
  const record = JSON.parse(json) as LetterRecord;
  const index = {
    id: record.id,
    queue: record.queue,
    operation: record.operation,
    errorType: record.errorType,
    reason: record.reason as StopReason,
    redrives: Number(record.redrives),
    firstFailedAt: Number(record.firstFailedAt),
    lastFailedAt: Number(record.lastFailedAt),
    diedAt: Number(record.diedAt),
  };
  return { letter: readLetter(text, index, stateOf(record, now)), entry: record.entry ?? '' };
}

/** A letter's place in the order of letters: Redis compares such texts byte by byte. */
export function placeOf({ diedAt, id }: Pick<DeadLetter, 'diedAt' | 'id'>): string {
  return `${String(Math.max(0, Math.floor(diedAt))).padStart(16, '0')}:${id}`;
}

/** JSON that Lua can read: half a surrogate pair, which JSON may hold, it takes for a fault. */
export function jsonForLua(value: object): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'string' ? inner.toWellFormed() : inner));
}

function stateOf({ state, at, why, owner, lease }: LetterRecord, now: number): LetterState {
  if (state === 'redriven') return { is: state, at: Number(at) };
  if (state === 'quarantined') return { is: state, at: Number(at), why: why ?? '' };
  const until = Number(lease);
  return state === 'claimed' && until > now ? { is: state, owner: owner ?? '', until } : { is: 'dead' };
}
