import type { StopReason } from '../../engine/outcome.ts';
import type { DeadLetter, LetterState } from './letter.ts';
import { indexOf } from './letter-index.ts';
import { readLetter, writeLetter } from './letter-text.ts';

/** A letter as a row of a table. */
export interface Row {
  readonly id: string;
  readonly queue: string;
  readonly operation: string;
  readonly error_type: string;
  readonly reason: StopReason;
  readonly redrives: number;
  readonly first_failed_at: number;
  readonly last_failed_at: number;
  readonly died_at: number;
  readonly state: LetterState['is'];
  readonly state_at: number | null;
  readonly why: string | null;
  readonly claim_token: string | null;
  readonly claim_owner: string | null;
  readonly claim_until: number | null;
  readonly body: string;
}

/** The letter of a row, as it is at `now`: one whose lease has ended is dead. */
export function letterOf(row: Row, now: number): DeadLetter {
  const index = {
    id: row.id,
    queue: row.queue,
    operation: row.operation,
    errorType: row.error_type,
    reason: row.reason,
    redrives: row.redrives,
    firstFailedAt: row.first_failed_at,
    lastFailedAt: row.last_failed_at,
    diedAt: row.died_at,
  };
  return readLetter(row.body, index, stateOf(row, now));
}

/** A letter as values for {@link COLUMNS}. A claim is never written this way. */
export function valuesOf(letter: DeadLetter): (string | number | null)[] {
  const index = indexOf(letter);
  const { state } = letter;
  const body = writeLetter(letter);
  return [
    index.queue,
    index.operation,
    index.errorType,
    index.reason,
    index.redrives,
    index.firstFailedAt,
    index.lastFailedAt,
    index.diedAt,
    state.is === 'claimed' ? 'dead' : state.is,
    'at' in state ? state.at : null,
    'why' in state ? state.why : null,
    Buffer.byteLength(body),
    body,
  ];
}

/** What {@link valuesOf} gives values for. */
export const COLUMNS = [
  'queue',
  'operation',
  'error_type',
  'reason',
  'redrives',
  'first_failed_at',
  'last_failed_at',
  'died_at',
  'state',
  'state_at',
  'why',
  'bytes',
  'body',
] as const;

function stateOf(row: Row, now: number): LetterState {
  const { state, state_at: at, claim_owner: owner, claim_until: until, why } = row;
  if (state === 'redriven') return { is: state, at: at ?? 0 };
  if (state === 'quarantined') return { is: state, at: at ?? 0, why: why ?? '' };
  return state === 'claimed' && until !== null && until > now
    ? { is: state, owner: owner ?? '', until }
    : { is: 'dead' };
}
