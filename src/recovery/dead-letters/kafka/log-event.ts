import type { FurtherFailure } from '../dead-letter-store.ts';
import { type DeadLetter, LETTER_STATES, type LetterState } from '../letter.ts';
import { indexOf, type LetterIndex } from '../letter-index.ts';
import { readLetter, writeLetter } from '../letter-text.ts';
import { textBytes } from './header-bytes.ts';
import { letterHeaders } from './letter-headers.ts';
import type { LogAppend, LogRecord } from './log.ts';

/** Something that happened, or would have if nothing else had come first. The order in the log decides. */
export type LogEvent = { readonly nonce: string } & (
  | { readonly event: 'put'; readonly letter: DeadLetter; readonly bytes: number }
  | {
      readonly event: 'claim';
      readonly owner: string;
      readonly leaseMs: number;
      readonly letters: readonly LetterVersion[];
    }
  | { readonly event: 'revive'; readonly letters: readonly LetterVersion[] }
  | { readonly event: 'purge'; readonly letters: readonly LetterVersion[] }
  | ({ readonly id: string; readonly token: string } & (
      | { readonly event: 'renew'; readonly leaseMs: number }
      | { readonly event: 'release' | 'complete' }
      | { readonly event: 'fail'; readonly failure: FurtherFailure }
      | { readonly event: 'quarantine'; readonly why: string }
    ))
);

/** A letter as its writer knew it: the offset of the record that changed it last. What has changed since is not meant. */
export type LetterVersion = readonly [id: string, version: string];

/** The record of an event. None has a key: a compacted topic, where claims would get lost, refuses it. */
export function recordOf(event: LogEvent, partition: number, timestamp: number): LogAppend {
  const common = { partition, key: null, timestamp };
  if (event.event !== 'put') {
    const value = JSON.stringify({ format: EVENT_FORMAT, ...event });
    return { ...common, value, headers: { [EVENT_HEADER]: textBytes(event.event) } };
  }
  const { letter, nonce } = event;
  const { state } = letter;
  const index = {
    format: EVENT_FORMAT,
    nonce,
    state: state.is === 'claimed' ? { is: 'dead' } : state,
    ...indexOf(letter),
  };
  return {
    ...common,
    value: writeLetter(letter),
    headers: {
      ...letterHeaders(letter),
      [EVENT_HEADER]: textBytes('put'),
      [INDEX_HEADER]: textBytes(JSON.stringify(index)),
    },
  };
}

/**
 * The event of a record. `'foreign'` for one that this library has not written, `'newer'` for one that only a newer version
 * of it understands. Every reader of the same version comes to the same answer. Never throws.
 */
export function eventOf(record: LogRecord): LogEvent | 'foreign' | 'newer' {
  try {
    const name = textOf(record.header(EVENT_HEADER));
    if (name === undefined) return 'foreign';
    return name === 'put' ? putOf(record) : changeOf(name, textOf(record.value));
  } catch {
    return 'foreign';
  }
}

/**
 * A letter that readers would not take for one must not be written: it would be lost, and nobody hear of it.
 *
 * @throws TypeError for a letter without a text or a time that every letter has
 */
export function checkLetter(letter: DeadLetter): void {
  if (!isIndex({ ...indexOf(letter) }) || !isState(letter.state)) throw new TypeError('the letter lacks something');
}

/** Which event a record is: `put`, `claim`, … */
export const EVENT_HEADER = 'retry-dead-letter-event';
/** What a letter can be found by, so that it can be told of one that a newer version wrote. */
export const INDEX_HEADER = 'retry-dead-letter-index';
const EVENT_FORMAT = 1;

function putOf(record: LogRecord): LogEvent | 'foreign' | 'newer' {
  const known = objectOf(textOf(record.header(INDEX_HEADER)));
  const text = textOf(record.value);
  if (known === undefined || text === undefined) return 'foreign';
  if (isNewer(known)) return 'newer';
  const { nonce, state, format: _, ...index } = known;
  if (typeof nonce !== 'string' || !isState(state) || !isIndex(index)) return 'foreign';
  return { event: 'put', nonce, letter: readLetter(text, index, state), bytes: Buffer.byteLength(text) };
}

function changeOf(name: string, text: string | undefined): LogEvent | 'foreign' | 'newer' {
  const known = objectOf(text);
  if (known === undefined) return 'foreign';
  if (isNewer(known)) return 'newer';
  const { format: _, ...change } = known;
  return change.event === name && typeof change.nonce === 'string' && CHANGES[name]?.(change) === true
    ? (change as unknown as LogEvent)
    : 'foreign';
}

type Fields = Readonly<Record<string, unknown>>;

const isOfToken = ({ id, token }: Fields): boolean => typeof id === 'string' && typeof token === 'string';
const hasLetters = ({ letters }: Fields): boolean =>
  Array.isArray(letters) && letters.every(each => Array.isArray(each) && each.every(part => typeof part === 'string'));
const hasLease = ({ leaseMs }: Fields): boolean => typeof leaseMs === 'number' && leaseMs > 0;

const CHANGES: Readonly<Record<string, (fields: Fields) => boolean>> = {
  claim: fields => hasLetters(fields) && hasLease(fields) && typeof fields.owner === 'string',
  revive: hasLetters,
  purge: hasLetters,
  renew: fields => isOfToken(fields) && hasLease(fields),
  release: isOfToken,
  complete: isOfToken,
  fail: fields => isOfToken(fields) && isFailure(fields.failure),
  quarantine: fields => isOfToken(fields) && typeof fields.why === 'string',
};

function isFailure(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { error, failedAt, attempts, history, quarantineAfter } = value as Partial<FurtherFailure>;
  return (
    typeof error?.type === 'string' &&
    Array.isArray(history) &&
    [failedAt, attempts, quarantineAfter].every(number => typeof number === 'number')
  );
}

function isNewer({ format }: Fields): boolean {
  return typeof format === 'number' && format > EVENT_FORMAT;
}

function isState(state: unknown): state is LetterState {
  return LETTER_STATES.includes((state as LetterState | undefined)?.is as LetterState['is']);
}

function isIndex(index: Fields): index is Fields & LetterIndex {
  return (
    ['id', 'queue', 'operation', 'errorType', 'reason'].every(name => typeof index[name] === 'string') &&
    ['redrives', 'firstFailedAt', 'lastFailedAt', 'diedAt'].every(name => Number.isFinite(index[name]))
  );
}

function objectOf(text: string | undefined): Fields | undefined {
  const value: unknown = text === undefined ? undefined : JSON.parse(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function textOf(bytes: Uint8Array | null | undefined): string | undefined {
  return bytes === undefined || bytes === null ? undefined : Buffer.from(bytes).toString();
}
