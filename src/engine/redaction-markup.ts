import { type FindValue, hideValues, matchAt } from './redaction-values.ts';

/**
 * Hides what markup says elsewhere than right behind a name: the text of an element, the attribute `value` next to
 * `name`, and a part of a form. Takes time linear in the text.
 */
export function hideMarkup(text: string, isSecret: (name: string) => boolean): string {
  const clean = hideValues(hideValues(text, OPENING, isSecret, findContent(text)), PART, isSecret, findPart);
  return VALUE.test(clean) ? hideValues(clean, PAIR, isSecret) : clean;
}

const OPENING = /<(?:[\w.-]{1,64}:)?([\w.-]{1,128})(?:\s[^<>]*)?(?<!\/)>/g;
const CLOSING = /<\/(?:[\w.-]{1,64}:)?([\w.-]{1,128})/g;
/** Without a closing tag, as behind a cut. What goes on otherwise speaks of the element: `<password> is required`. */
const UNCLOSED = /[\w$%#!*+][^<\r\n]*/y;

function findContent(text: string): FindValue {
  let closings: Map<string, number[]> | undefined;
  return (_, start, found) => {
    closings ??= closingTags(text);
    const ends = closings.get((found[1] as string).toLowerCase()) ?? [];
    // The last one comes first.
    while ((ends.at(-1) ?? start) < start) ends.pop();
    const end = ends.at(-1) ?? start + (matchAt(UNCLOSED, text, start)?.length ?? 0);
    return end === start ? undefined : { start, end };
  };
}

function closingTags(text: string): Map<string, number[]> {
  const ends = new Map<string, number[]>();
  for (const closing of [...text.matchAll(CLOSING)].reverse()) {
    const name = (closing[1] as string).toLowerCase();
    const known = ends.get(name) ?? [];
    known.push(closing.index);
    ends.set(name, known);
  }
  return ends;
}

/** The head of a part of a form, with its line ends as they are or as JSON writes them. */
const PART =
  /\bname=\\{0,7}["']([^"'\\\r\n]{1,128})\\{0,7}["'](?:;(?:[^\r\n\\]|\\{1,7}["']){0,256})?(?:(?:\r?\n|(?:\\{1,7}r)?\\{1,7}n)[\w-]{1,64}:(?:[^\r\n\\]|\\{1,7}["']){0,256}){0,4}(?:\r?\n|(?:\\{1,7}r)?\\{1,7}n){2}/gi;
const END_OF_PART = /(?:\r?\n|(?:\\{1,7}r)?\\{1,7}n)(?:--| {4}at )/g;

const findPart: FindValue = (text, start) => {
  END_OF_PART.lastIndex = start;
  const end = END_OF_PART.exec(text)?.index ?? text.length;
  return end === start ? undefined : { start, end };
};

const VALUE = /value/i;
/** `name="password" value="…"`, `{ "name": "password", "value": "…" }`, with no other name in between. */
const PAIR =
  /\b(?:name|key|id)(?:\\{0,7}["'`])?\s{0,8}[=:]\s{0,8}(?:\\{0,7}["'`])?([\w.$-]{1,128})(?:\\{0,7}["'`])?[\s,](?:(?!\b(?:name|key|id)\b)[^<>{}]){0,128}?\bvalue(?:\\{0,7}["'`])?\s{0,8}[=:]\s{0,8}(?=\S)/gi;
