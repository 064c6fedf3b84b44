import { isNumber } from '../../engine/option-checks.ts';
import { read } from '../../engine/read.ts';
import type { DeadLetter } from './letter.ts';
import type { LetterIndex } from './letter-index.ts';

/**
 * Whether what was read from a store is a letter, and the one that the store takes it for: a text that tells another id
 * would be written over another letter, and one that tells another operation would be sent past the filter. What else
 * stands in it, as a newer version may have added, is left alone.
 */
export function isWholeLetter(
  letter: unknown,
  { id, queue, operation }: Pick<LetterIndex, 'id' | 'queue' | 'operation'>,
): letter is Omit<DeadLetter, 'state'> {
  return (
    isSameText(read(letter, 'id'), id) &&
    isSameText(read(letter, 'queue'), queue) &&
    isSameText(read(letter, 'operation'), operation) &&
    hasTexts(letter, 'reason', 'idempotencyKey') &&
    hasNumbers(letter, 'attempts', 'redrives', 'firstFailedAt', 'lastFailedAt', 'diedAt') &&
    isPayload(read(letter, 'payload')) &&
    isError(read(letter, 'error')) &&
    isListOf(read(letter, 'history'), isAttempt) &&
    isOptional(read(letter, 'trace'), isTrace) &&
    isOptional(read(letter, 'source'), isSource)
  );
}

/**
 * Half of a surrogate pair is no text to most stores, which write something else in its place, and `node:sqlite` in
 * Node 22 cuts off what it reads at a null character.
 */
function isSameText(text: unknown, known: string): boolean {
  if (typeof text !== 'string') return false;
  const [stored, index] = [text.toWellFormed(), known.toWellFormed()];
  return stored === index || stored.startsWith(`${index}\0`);
}

const isText = (value: unknown): boolean => typeof value === 'string';

function hasTexts(value: unknown, ...names: readonly string[]): boolean {
  return names.every(name => isText(read(value, name)));
}

function hasNumbers(value: unknown, ...names: readonly string[]): boolean {
  return names.every(name => isNumber(read(value, name)));
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}

function isOptional(value: unknown, is: (value: unknown) => boolean): boolean {
  return value === undefined || is(value);
}

function isPayload(payload: unknown): boolean {
  if (!hasNumbers(payload, 'version', 'bytes') || !isListOf(read(payload, 'altered'), isText)) return false;
  switch (read(payload, 'kind')) {
    case 'plain':
      return hasTexts(payload, 'json');
    case 'sealed':
      return hasTexts(payload, 'algorithm', 'keyId', 'iv', 'tag', 'data');
    case 'omitted':
      return hasTexts(payload, 'why');
    default:
      return false;
  }
}

function isError(error: unknown): boolean {
  return (
    hasTexts(error, 'type', 'message') &&
    isOptional(read(error, 'code'), isText) &&
    isOptional(read(error, 'stack'), isText)
  );
}

function isAttempt(attempt: unknown): boolean {
  return (
    hasTexts(attempt, 'errorType') &&
    hasNumbers(attempt, 'startedAt', 'delayMs', 'redrive') &&
    isOptional(read(attempt, 'durationMs'), isNumber)
  );
}

function isTrace(trace: unknown): boolean {
  return isHex(read(trace, 'traceId'), 32) && isHex(read(trace, 'spanId'), 16);
}

function isHex(text: unknown, digits: number): boolean {
  return typeof text === 'string' && text.length === digits && /^[\da-f]+$/.test(text);
}

function isSource(source: unknown): boolean {
  return (
    hasTexts(source, 'topic') &&
    isOptional(read(source, 'partition'), isNumber) &&
    isOptional(read(source, 'offset'), isText)
  );
}
