import { isSecretHeader } from './secret-names.ts';

/** What stands where a secret stood. */
export const HIDDEN = '[redacted]';

/** A part of a text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where the value is that begins at `start`, behind the name that `found` is about. */
export type FindValue = (text: string, start: number, found: RegExpExecArray) => Span | undefined;

/**
 * Hides the value behind each name that `names` finds, in its first group, and `isSecret` knows. A value is looked at
 * once.
 */
export function hideValues(
  text: string,
  names: RegExp,
  isSecret: (name: string) => boolean,
  find: FindValue = findValue,
): string {
  let clean = '';
  let done = 0;
  names.lastIndex = 0;
  for (let found = names.exec(text); found !== null; found = names.exec(text)) {
    if (!isSecret(found[1] as string)) continue;
    const start = names.lastIndex;
    const value = find(text, start, found);
    if (value === undefined) continue;
    clean += text.slice(done, value.start) + HIDDEN;
    done = value.end;
    names.lastIndex = value.end;
  }
  return clean + text.slice(done);
}

/** A value in quotes or in brackets, or else a word; that of some headers goes on to the end of the line. */
export function findValue(text: string, start: number, found: RegExpExecArray): Span | undefined {
  const quote = matchAt(QUOTE, text, start);
  if (quote !== undefined) {
    const from = start + quote.length;
    return from >= text.length ? undefined : { start: from, end: closingQuote(text, from, quote) };
  }
  if (text[start] === '[' || text[start] === '{') return { start, end: endOfBrackets(text, start) };
  const isLine = isSecretHeader(found[1] as string);
  const bare = matchAt(isLine ? LINE : WORD, text, start);
  if (bare === undefined) return undefined;
  const end = isLine ? bare.length : trimmedLength(bare);
  return end === 0 ? undefined : { start, end: start + end };
}

/** Where the quoted value ends that begins at `start`. One without an end was cut off: all of the rest is the value. */
export function closingQuote(text: string, start: number, quote: string): number {
  const mark = quote[quote.length - 1] as string;
  const depth = quote.length - 1;
  for (let at = text.indexOf(mark, start); at >= 0; at = text.indexOf(mark, at + 1)) {
    let escapes = 0;
    while (text[at - escapes - 1] === '\\') escapes++;
    if (depth === 0 ? escapes % 2 === 1 : escapes !== depth) continue;
    const next = at + 1;
    // SQL and CSV write a mark twice to have it in the value.
    if (text.startsWith(quote, next)) at = next + depth;
    else if (at - depth > start || !WORD_CHARACTER.test(text.charAt(next))) return at - depth;
  }
  return text.length;
}

export function matchAt(pattern: RegExp, text: string, start: number): string | undefined {
  pattern.lastIndex = start;
  return pattern.exec(text)?.[0];
}

const LINE = /[^\r\n]+/y;
const QUOTE = /(\\{0,7})(["'`])/y;
/** Up to a space, or to a ; or & with another key=value behind it; quotes inside a word belong to it. */
const WORD = /(?:[^\s&;"'`]|["'`](?=\w)|[&;](?!\s|$|[\w.%$[\]-]{0,64}=))+/y;
const WORD_CHARACTER = /\w/;

/** What a bracket may hold that matters: the frames of a stack end it, a string may hold brackets of its own. */
const MARKS = /\n {4}at |\\{0,7}["'`]|[{}[\]]/g;

/** Where the object or the list ends. One without an end was cut off: all of the rest is the value. */
function endOfBrackets(text: string, start: number): number {
  let depth = 0;
  MARKS.lastIndex = start;
  for (let found = MARKS.exec(text); found !== null; found = MARKS.exec(text)) {
    const mark = found[0];
    if (mark === '{' || mark === '[') depth++;
    else if (mark === '}' || mark === ']') depth--;
    else if (mark[0] === '\n') return found.index;
    // An apostrophe in a word begins no string.
    else if (OPENS.test(text[found.index - 1] as string)) {
      MARKS.lastIndex = closingQuote(text, MARKS.lastIndex, mark) + mark.length;
    }
    if (depth === 0) return MARKS.lastIndex + (matchAt(GLUED, text, MARKS.lastIndex)?.length ?? 0);
  }
  return text.length;
}

const OPENS = /[\s[{(,:=]/;
/** What stands right behind a bracket belongs to a word that began with it. */
const GLUED = /[^\s&;"'`,)\]}.][^\s&;"'`,)\]}]*/y;

/** The brackets and stops behind a value belong to the sentence around it. */
function trimmedLength(value: string): number {
  let end = value.length;
  while (end > 0 && '.,)]}'.includes(value[end - 1] as string)) end--;
  return end;
}
