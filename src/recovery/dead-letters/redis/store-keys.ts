import { type Check, ofType } from '../../../engine/option-checks.ts';

/** A check for what the keys begin with. */
export const checkLetterPrefix: Check = ofType(
  'a string of at most 200 characters without braces and control characters',
  v => typeof v === 'string',
  v => (v as string).length <= 200 && !HAS_BRACES_OR_CONTROLS.test(v as string),
);

/** The keys of a store, in the order in which the scripts name them. The hash tag keeps them on one node of a cluster. */
export function storeKeys(prefix: string): readonly string[] {
  return NAMES.map(name => `${prefix}{letters}${name}`);
}

/** What each key is called behind the prefix and the tag; the first one is the stream. */
const NAMES = ['', ':index', ':order', ':open', ':records', ':claims', ':totals'] as const;
// Braces would make another hash tag.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const HAS_BRACES_OR_CONTROLS = /[{}\u0000-\u001f\u007f]/;
