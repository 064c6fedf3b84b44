import type { DeadLetter, LetterStateName } from '../letter.ts';
import { COLUMNS, letterOf, type Row, valuesOf } from '../letter-row.ts';
import type { StateCount } from '../queue-stats.ts';
import { fromStoredText, toStoredText } from './stored-text.ts';

/** The letter of a row that was read together with `now_ms`, the time of the server. */
export function readRow(row: Readonly<Record<string, unknown>>): DeadLetter {
  const entries = Object.entries(row).map(([column, value]) => [column, readColumn(column, value)]);
  return letterOf(Object.fromEntries(entries) as Row, Number(row.now_ms));
}

/** A letter as values for `COLUMNS`. */
export function writeRow(letter: DeadLetter): (string | number | null)[] {
  return valuesOf(letter).map((value, i) => writeColumn(COLUMNS[i] as string, value));
}

/** A row of the statistics. */
export function readCount(row: Readonly<Record<string, unknown>>): StateCount {
  return {
    queue: fromStoredText(String(row.queue)),
    state: row.state as LetterStateName,
    letters: Number(row.letters),
    bytes: Number(row.bytes),
    oldest: Number(row.oldest),
  };
}

/** Integers of eight bytes come as text, unless the program has set another parser for them. */
const NUMBERS: ReadonlySet<string> = new Set([
  'redrives',
  'first_failed_at',
  'last_failed_at',
  'died_at',
  'state_at',
  'claim_until',
]);

function readColumn(column: string, value: unknown): unknown {
  if (value === null) return null;
  if (NUMBERS.has(column)) return Number(value);
  return typeof value === 'string' && column !== 'body' ? fromStoredText(value) : value;
}

function writeColumn(column: string, value: string | number | null): string | number | null {
  if (typeof value === 'number') return Math.trunc(value);
  // JSON writes both the null character and half a pair as an escape.
  return value === null || column === 'body' ? value : toStoredText(value);
}
