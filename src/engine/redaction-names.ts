import type { Redactor } from './redactor.ts';

/**
 * Whether a text holds no mark and no space, so that a redactor of ours finds nothing in it but a token, a card or a pattern
 * of the user.
 */
export function isBareWord(text: string): boolean {
  return text.length <= LONGEST_NAME && /^[\w.$-]+$/.test(text);
}

/** Whether a redactor hides the value behind a name, by way of an example. */
export function hidesExample(redactor: Redactor, name: string): boolean {
  return !redactor(`${name}: "x"`).endsWith('"x"');
}

/** What {@link hidesExample} says of a bare word that is not named like a secret, for redactors of ours: much sooner. */
export const hiddenNames: WeakMap<Redactor, (bareWord: string) => boolean> = new WeakMap();

/** The longest name that is looked for, in characters. */
const LONGEST_NAME = 128;
