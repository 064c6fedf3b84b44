import { hideQuotedValues } from './quoted-values.ts';
import { HIDDEN, hideNamed, hideParameters, hideShapes, hideTokens, READABLE_PARAMETERS } from './redaction-rules.ts';

/** Takes secrets out of a text. */
export type Redactor = (text: string) => string;

/** What a redactor does beyond the rules that always hold. */
export interface RedactorOptions {
  /** Names of URL parameters whose values may be seen, besides `page`, `limit`, `sort` and their like. */
  readonly allowQuery?: readonly string[];
  /** Further names of keys whose values are hidden, in any case of letters. */
  readonly secretNames?: readonly string[];
  /** Further patterns to hide. They run on text of any length: keep them free of nested repetition. */
  readonly extraPatterns?: readonly RegExp[];
}

/**
 * Takes secrets out of a text before it reaches a span, a log line or a store: credentials and parameters in URLs,
 * values of secret headers, of keys and of flags that are named like secrets, bearer and basic tokens, JSON Web
 * Tokens, keys of well-known shapes, PEM blocks and card numbers, and what databases and JSON.parse quote of a value
 * that they refused. Takes time linear in the text.
 *
 * It errs on the side of hiding: what it leaves is not proven harmless, so put no secret in a message knowingly.
 */
export const redact: Redactor = createRedactor();

/**
 * Makes a redactor of your own, for {@link setRedactor}.
 *
 * @throws TypeError for an unknown option, and for one that is no list of strings or of regular expressions
 *
 * @example
 * ```ts
 * setRedactor(createRedactor({ allowQuery: ['region'], extraPatterns: [/\bemp-\d{6}\b/g] }));
 * ```
 */
export function createRedactor(options: RedactorOptions = {}): Redactor {
  checkOptions(options);
  const readable = new Set([...READABLE_PARAMETERS, ...lowered(options.allowQuery)]);
  const secret = new Set(lowered(options.secretNames));
  const extra = (options.extraPatterns ?? []).map(toGlobal);
  return text => {
    const unquoted = hideQuotedValues(text);
    const shaped = hideParameters(hideShapes(unquoted), name => readable.has(name.toLowerCase()));
    const named = hideNamed(shaped, name => secret.has(name.toLowerCase()));
    return extra.reduce((clean, pattern) => clean.replace(pattern, HIDDEN), hideTokens(named));
  };
}

/**
 * Sets the redactor that stands before every span, log line and store of this process; undefined brings back the
 * default. A redactor that throws or returns no string hides the whole text.
 *
 * @throws TypeError when `redactor` is neither a function nor undefined
 */
export function setRedactor(redactor: Redactor | undefined): void {
  if (redactor !== undefined && typeof redactor !== 'function') {
    throw new TypeError('setRedactor: a redactor is a function from text to text');
  }
  shared[KEY] = redactor;
}

/**
 * The text without secrets, in at most `limit` characters, by the redactor that is set. A long text is cut before it
 * is redacted, so that megabytes cost no more than kilobytes; the word at the cut goes, since half a secret could no
 * longer be recognised.
 */
export function redactWithin(text: string, limit: number): string {
  const clean = apply(shared[KEY] ?? redact, cutBetweenWords(text, limit * 2));
  const isWhole = clean.length <= limit && text.length <= limit * 2;
  return (isWhole ? clean : `${clean.slice(0, limit - 1)}…`).toWellFormed();
}

/** Every copy of the package in a process asks for the same redactor. */
const KEY = Symbol.for('retryscope.redactor.1');
const shared = globalThis as { [KEY]?: Redactor | undefined };

function apply(redactor: Redactor, text: string): string {
  try {
    const clean: unknown = redactor(text);
    return typeof clean === 'string' ? clean : FAILED;
  } catch {
    return FAILED;
  }
}

const FAILED = '[redaction failed]';
/** The longest word that is looked for at a cut, in characters. */
const LONGEST_WORD = 512;
/** The longest card number with its separators, in characters. */
const LONGEST_CARD = 40;

function cutBetweenWords(text: string, bound: number): string {
  if (text.length <= bound) return text;
  let end = bound;
  while (end > bound - LONGEST_WORD && !/\s/.test(text[end] as string)) end--;
  // Groups of digits may be the front of a card number.
  const shortest = Math.max(0, end - LONGEST_CARD);
  while (end > shortest && /[\d\s-]/.test(text[end - 1] as string)) end--;
  return text.slice(0, end);
}

function lowered(names: readonly string[] | undefined): string[] {
  return (names ?? []).map(name => name.toLowerCase());
}

function toGlobal(pattern: RegExp): RegExp {
  return pattern.flags.includes('g') ? pattern : new RegExp(pattern.source, `${pattern.flags}g`);
}

function checkOptions(options: RedactorOptions): void {
  for (const [name, value] of Object.entries(options)) {
    const isItem = Object.hasOwn(ITEMS, name) ? ITEMS[name as keyof RedactorOptions] : undefined;
    if (isItem === undefined) {
      throw new TypeError(`${JSON.stringify(name)} is not an option; there are ${Object.keys(ITEMS).join(', ')}`);
    }
    if (value !== undefined && !(Array.isArray(value) && value.every(isItem))) {
      throw new TypeError(`${name} must be a list of ${name === 'extraPatterns' ? 'regular expressions' : 'strings'}`);
    }
  }
}

const isString = (item: unknown): boolean => typeof item === 'string';

const ITEMS: Readonly<Record<keyof RedactorOptions, (item: unknown) => boolean>> = {
  allowQuery: isString,
  secretNames: isString,
  extraPatterns: item => Object.prototype.toString.call(item) === '[object RegExp]',
};
