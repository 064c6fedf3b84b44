import { type Check, checkOptions, isList, ofType, readOptions } from './option-checks.ts';
import { hideQuotedValues } from './quoted-values.ts';
import { lookAt } from './read.ts';
import { hideCredentials } from './redaction-credentials.ts';
import { hideNamed } from './redaction-keys.ts';
import { hiddenNames, hidesExample, isBareWord } from './redaction-names.ts';
import { HIDDEN, hideParameters, hideShapes, hideTokens, READABLE_PARAMETERS } from './redaction-rules.ts';
import type { Redactor } from './redactor.ts';
import { isSecretName } from './secret-names.ts';
import { handleStrayPromise } from './stray-promise.ts';

/** What a redactor does beyond the rules that always hold. */
export interface RedactorOptions {
  /** Names of URL parameters whose values may be seen, besides `page`, `limit`, `sort` and their like. */
  readonly allowQuery?: readonly string[];
  /** Further names of keys whose values are hidden, in any case of letters. */
  readonly secretNames?: readonly string[];
  /**
   * Further patterns to hide, wherever they match: `g` is added and `y` taken away. They run on text of any length: keep
   * them free of nested repetition.
   */
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
export const redact: Redactor = redactorOf({});

/**
 * Makes a redactor of your own, for {@link setRedactor}.
 *
 * @throws TypeError for what holds no options, for an unknown one, and for one that is no list of strings or of regular
 *   expressions
 *
 * @example
 * ```ts
 * setRedactor(createRedactor({ allowQuery: ['region'], extraPatterns: [/\bemp-\d{6}\b/g] }));
 * ```
 */
export function createRedactor(options: RedactorOptions = {}): Redactor {
  const own = readOptions('redactor options', options);
  checkOptions('redactor options', own, CHECKS);
  return redactorOf(own);
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

/**
 * Whether the redactor that is set hides what stands behind a name, as in `name: "value"`. A redactor of the user may know
 * names that we do not; it is asked by way of an example.
 */
export function hidesValueOf(name: string): boolean {
  if (isSecretName(name)) return true;
  const redactor = shared[KEY] ?? redact;
  const hides = isBareWord(name) ? hiddenNames.get(redactor) : undefined;
  return hides === undefined ? hidesExample(text => apply(redactor, text), name) : hides(name);
}

/** Every copy of the package in a process asks for the same redactor. */
const KEY = Symbol.for('retryscope.redactor.1');
const shared = globalThis as { [KEY]?: Redactor | undefined };

function apply(redactor: Redactor, text: string): string {
  try {
    const clean: unknown = redactor(text);
    if (typeof clean === 'string') return clean;
    handleStrayPromise('hook', clean);
  } catch {
    // What could not be redacted is not shown.
  }
  return FAILED;
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

function redactorOf(options: RedactorOptions): Redactor {
  const readable = new Set([...READABLE_PARAMETERS, ...lowered(options.allowQuery)]);
  const secret = new Set(lowered(options.secretNames));
  const extra = (options.extraPatterns ?? []).map(toGlobal);
  const isNamed = (name: string): boolean => secret.has(name.toLowerCase());
  const hideLast = (text: string): string =>
    extra.reduce((clean, pattern) => clean.replace(pattern, HIDDEN), hideTokens(text));
  const redactor: Redactor = text => {
    if (isBareWord(text)) return hideLast(text);
    const unquoted = hideQuotedValues(text);
    const shaped = hideParameters(hideShapes(hideCredentials(unquoted)), name => readable.has(name.toLowerCase()));
    return hideLast(hideNamed(shaped, isNamed));
  };
  hiddenNames.set(redactor, name => isNamed(name) || (extra.length > 0 && hidesExample(hideLast, name)));
  return redactor;
}

function lowered(names: readonly string[] | undefined): string[] {
  return (names ?? []).map(name => name.toLowerCase());
}

/** A sticky pattern would look at the beginning of the text alone. */
function toGlobal({ source, flags }: RegExp): RegExp {
  return new RegExp(source, `${flags.replace(/[gy]/g, '')}g`);
}

/* @__NO_SIDE_EFFECTS__ */
function listOf(what: string, isItem: (item: unknown) => boolean): Check {
  return ofType(`a list of ${what}`, value => isList(value) && value.every(isItem));
}

const isString = (item: unknown): boolean => typeof item === 'string';

/** Another realm has its own RegExp, and reading a Proxy that was revoked throws. */
function isPattern(item: unknown): boolean {
  return typeof lookAt(() => SOURCE?.call(item)) === 'string';
}

const SOURCE = Object.getOwnPropertyDescriptor(RegExp.prototype, 'source')?.get;

const CHECKS: Readonly<Record<keyof RedactorOptions, Check>> = {
  allowQuery: listOf('strings', isString),
  secretNames: listOf('strings', isString),
  extraPatterns: listOf('regular expressions', isPattern),
};
