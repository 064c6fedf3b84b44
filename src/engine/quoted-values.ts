import { read } from './read.ts';
import { HIDDEN } from './redaction-rules.ts';

/**
 * Hides what databases and parsers quote in their messages of the value that they refused: a parameter of a statement,
 * a row, the beginning of a body. The value runs to the last mark of its message, for none of them escapes a mark in
 * it. Takes time linear in the text.
 */
export function hideQuotedValues(text: string): string {
  let clean = '';
  let done = 0;
  QUOTING.lastIndex = 0;
  for (let found = QUOTING.exec(text); found !== null; found = QUOTING.exec(text)) {
    const start = QUOTING.lastIndex;
    const end = endOfValue(text, start, found[0]);
    clean += text.slice(done, start) + HIDDEN;
    done = end;
    QUOTING.lastIndex = end;
  }
  return clean + text.slice(done);
}

/**
 * Hides, in any text about an error, the values that it and the errors beneath it quote: those that PostgreSQL refuses
 * (SQLSTATE class 22), whatever language it speaks.
 */
export function hiderFor(errors: readonly unknown[]): (text: string) => string {
  const messages = errors.filter(isDataError).map(error => read(error, 'message'));
  // One without a mark need not be looked for: an empty one would be found at every character.
  const quoting = messages.filter(message => typeof message === 'string' && hideMarked(message) !== message);
  return text => (quoting as string[]).reduce((clean, message) => clean.replaceAll(message, hideMarked), text);
}

/**
 * PostgreSQL (data, syntax, rows), MySQL (data, keys, syntax), Redis (an unknown command), and JSON.parse. A value in
 * parentheses is a row or a key of one.
 */
const QUOTING =
  /\b(?:invalid input (?:syntax|value) for [^"\n]{1,100}: |(?:value|displacement) out of range: |malformed [a-z]{1,20} literal: |value (?="[\s\S]{1,256}?" is out of range)|at or near |Unexpected token '[\s\S]{1,4}', (?:\.\.\.)?)"|\b(?:Duplicate entry |(?:Incorrect|Truncated incorrect) [\w ]{1,40} value: |syntax to use near |with args beginning with: )['`]|\b(?:Key \([^\n=]{1,200}\)=|Failing row contains )\(/g;

/** What ends the message that a value stands in. */
const FRAMES = '\n    at ';
/** How messages of MySQL begin, and what stands behind their value: names of keys and columns may be read. */
const BEHIND: readonly (readonly [begins: string, behind: string])[] = [
  ['Duplicate', ' for key '],
  ['Incorrect', ' for column '],
  ['syntax', ' at line '],
];

function endOfValue(text: string, start: number, phrase: string): number {
  const opening = phrase[phrase.length - 1] as string;
  const mark = opening === '(' ? ')' : opening;
  const frames = text.indexOf(FRAMES, start);
  const rest = text.slice(start, frames < 0 ? text.length : frames);
  const behind = BEHIND.find(([begins]) => phrase.startsWith(begins))?.[1] ?? '';
  const named = rest.lastIndexOf(mark + behind);
  const end = named < 0 ? rest.lastIndexOf(mark) : named;
  // A value without an end was cut off: all of the rest is the value.
  return start + (end < 0 ? rest.length : end);
}

function isDataError(error: unknown): boolean {
  const code = read(error, 'code');
  return typeof code === 'string' && /^22[\dA-Z]{3}$/.test(code);
}

/** All from the first quotation mark to the last: they are those of English, German, French or Polish. */
function hideMarked(message: string): string {
  return message.replace(/(["«»„“])[\s\S]*(["«»“”])/, `$1${HIDDEN}$2`);
}
