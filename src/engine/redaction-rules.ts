import { isSecretHeader, isSecretName } from './secret-names.ts';

/** What stands where a secret stood. */
export const HIDDEN = '[redacted]';

/** Parameters that say which page of what, and in which order; never who is asking. */
export const READABLE_PARAMETERS: readonly string[] = Object.freeze([
  'page',
  'per_page',
  'page_size',
  'limit',
  'offset',
  'size',
  'count',
  'sort',
  'order',
  'order_by',
  'v',
  'version',
  'api-version',
  'format',
  'lang',
  'locale',
]);

/**
 * Hides what has the shape of a secret: PEM blocks, credentials in URLs and data source names, bearer and basic
 * tokens. Each pattern either consumes what it looks at, or looks a bounded way: time is linear in the text.
 */
export function hideShapes(text: string): string {
  let clean = text;
  for (const [pattern, replacement] of SHAPES) clean = clean.replace(pattern, replacement);
  return clean;
}

/** Hides tokens that are known by their first letters, JSON Web Tokens and card numbers, wherever they stand. */
export function hideTokens(text: string): string {
  let clean = text.replace(DIGITS, hideCards);
  for (const pattern of TOKENS) clean = clean.replace(pattern, HIDDEN);
  return clean;
}

/** Hides the values of parameters in URLs and forms, but for those that may be read. */
export function hideParameters(text: string, isReadable: (name: string) => boolean): string {
  return text.replace(PARAMETER, (whole: string, start: string, name: string) =>
    isReadable(name) ? whole : `${start}${name}=${HIDDEN}`,
  );
}

/** Hides the values of keys, headers and flags that are named like secrets, as in `key=value` and `"key": "value"`. */
export function hideNamed(text: string, isSecret: (name: string) => boolean): string {
  const keyed = hideValues(text, KEYED, name => isSecret(name) || isSecretName(name));
  return hideValues(hideValues(keyed, FLAG, isSecretName), PHRASE, () => true);
}

const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z\d ]{1,40}-----[\s\S]*?(?:-----END [A-Z\d ]{1,40}-----|$)/g, HIDDEN],
  // A password that holds a slash; the digits spare https://host:8080/@scope
  [/\/\/[^\s/?#@:"'<>]{0,256}:(?!\d{1,5}(?:[/?#]|$))[^\s"'<>]{1,512}@/g, `//${HIDDEN}@`],
  // //user:password@host, up to the last @ in front of the path
  [/\/\/[^\s/?#"'<>]+@/g, `//${HIDDEN}@`],
  // user:password@tcp(host), without a scheme
  [/(?<=\w):[^\s@/:\\"'<>[][^\s@/\\"'<>]{0,127}@/g, `:${HIDDEN}@`],
  [
    /\b(bearer|basic)(\s{1,4})(?!(?:auth|auth[eo][a-z]+|tokens?|credentials?|scheme|realm|error|is|was|and|or|not)(?![\w~+/=:-]|\.\w))[\w.~+/=:-]{4,}/gi,
    `$1$2${HIDDEN}`,
  ],
  [/\b(negotiate|ntlm)(\s{1,4})[\w+/=]{16,}/gi, `$1$2${HIDDEN}`],
  // A word of that length behind "token" may be an identifier; with a digit it is taken for a token.
  [/\b(token|apikey)(\s{1,4})(?=[\w.~+/=:-]{0,64}\d)[\w.~+/=:-]{16,}/gi, `$1$2${HIDDEN}`],
  // Webhooks and bots carry their secret in the path.
  [/(hooks\.slack\.com\/(?:services|workflows)\/|\/api\/webhooks\/)[\w/-]+/gi, `$1${HIDDEN}`],
  [/(\/bot)\d{6,12}:[\w-]{20,}/g, `$1${HIDDEN}`],
];

const TOKENS: readonly RegExp[] = [
  // A JSON Web Token, or any JSON in base64: both begin with {" and that is eyJ.
  /(?<![A-Za-z\d])eyJ[\w-]{14,}(?:\.[\w-]*)*/g,
  /(?<![A-Za-z\d])(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA)[A-Z\d]{12,}/g,
  /(?<![A-Za-z\d])(?:gh[pousr]_|github_pat_|glpat-|xox[a-z]-|xapp-|[rsp]k_(?:live|test)_|whsec_|AIza|ya29\.|hv[sb]\.|dop_v1_|shp(?:at|ca|pa|ss)_|sntry[su]_|lin_api_|pypi-)[\w.-]{10,}/g,
  /(?<![A-Za-z\d])(?:(?:npm|hf)_[A-Za-z\d]{20,}|sk-[\w-]{20,}|SG\.[\w-]{10,}\.[\w-]{10,})/g,
];

/** Thirteen digits or more, alone or in groups. Those behind a decimal point are none of a card. */
const DIGITS = /(?<![\d.])\d(?:[ -]?\d){12,}/g;

/** Hides each row of groups that may be a card number; the groups around it (a year, an expiry) may be anything. */
function hideCards(digits: string): string {
  const groups = digits.split(/(?<=[ -])/);
  let clean = '';
  for (let i = 0; i < groups.length; ) {
    const end = cardEnd(groups, i);
    clean += end === undefined ? groups[i] : HIDDEN + separatorOf(groups[end - 1] as string);
    i = end ?? i + 1;
  }
  return clean;
}

function cardEnd(groups: readonly string[], start: number): number | undefined {
  let number = '';
  for (let end = start; end < groups.length && number.length < 19; end++) {
    number += (groups[end] as string).replace(/[ -]/, '');
    if (isCardNumber(number)) return end + 1;
  }
  return undefined;
}

function separatorOf(group: string): string {
  const last = group[group.length - 1] as string;
  return last === ' ' || last === '-' ? last : '';
}

/** The first digit of the issuers, the length, and the Luhn check (ISO/IEC 7812-1): most identifiers stay readable. */
function isCardNumber(number: string): boolean {
  if (!/^[2-6]\d{12,18}$/.test(number)) return false;
  let sum = 0;
  for (let i = 0; i < number.length; i++) {
    const digit = number.charCodeAt(number.length - 1 - i) - 48;
    const value = i % 2 === 0 ? digit : digit * 2;
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}

const PARAMETER = /([?&#])([^\s=&?#"'<>`]+)=[^\s&#"'<>`]*/g;

/** A name behind // or credentials is a host, and what follows its colon a port. */
const KEYED =
  /(?:(?<=%[\da-f]{2})|(?<![\w.$-]|\/\/|\]@))([\w.$-]{1,128})(?:\\{0,7}["'`])?(?:\s{0,8}(?:=>|:=|[:=]|%3[ad])\s{0,8}|\s{0,8},\s{0,8}(?=\\{0,7}["'`]))/gi;
const FLAG = /(?<!\S)--?([a-z][\w-]{0,63})\s{1,4}(?=\S)/gi;
const PHRASE = /\b(password|passwd|passphrase|passcode|pwd|identified by)\s{1,4}(?=["'`])/gi;

/** Hides the value behind each name that `names` finds and `isSecret` knows. A value is looked at once. */
function hideValues(text: string, names: RegExp, isSecret: (name: string) => boolean): string {
  let clean = '';
  let done = 0;
  names.lastIndex = 0;
  for (let found = names.exec(text); found !== null; found = names.exec(text)) {
    const name = found[1] as string;
    if (!isSecret(name)) continue;
    const start = names.lastIndex;
    const value = text.startsWith(HIDDEN, start) ? undefined : findValue(text, start, isSecretHeader(name));
    if (value === undefined) continue;
    clean += text.slice(done, value.start) + HIDDEN;
    done = value.end;
    names.lastIndex = value.end;
  }
  return clean + text.slice(done);
}

interface Span {
  readonly start: number;
  readonly end: number;
}

const LINE = /[^\r\n]+/y;
const QUOTE = /(\\{0,7})(["'`])/y;
/** Up to a space, or to a ; or & with another key=value behind it; quotes inside a word belong to it. */
const WORD = /(?:[^\s&;"'`]|["'`](?=\w)|[&;](?!\s|$|[\w.%$[\]-]{0,64}=))+/y;

function findValue(text: string, start: number, isLine: boolean): Span | undefined {
  const quote = matchAt(QUOTE, text, start);
  if (quote !== undefined) {
    const from = start + quote.length;
    return from >= text.length ? undefined : { start: from, end: closingQuote(text, from, quote) };
  }
  if (text[start] === '[') return { start, end: behind(text.indexOf(']', start), text) };
  const bare = matchAt(isLine ? LINE : WORD, text, start);
  if (bare === undefined) return undefined;
  const end = isLine ? bare.length : trimmedLength(bare);
  return end === 0 ? undefined : { start, end: start + end };
}

/** The brackets and stops behind a value belong to the sentence around it. */
function trimmedLength(value: string): number {
  let end = value.length;
  while (end > 0 && '.,)]}'.includes(value[end - 1] as string)) end--;
  return end;
}

function behind(index: number, text: string): number {
  return index < 0 ? text.length : index + 1;
}

/** Where the quoted value ends. One without an end was cut off: all of the rest is the value. */
function closingQuote(text: string, start: number, quote: string): number {
  const mark = quote[quote.length - 1] as string;
  const depth = quote.length - 1;
  for (let at = text.indexOf(mark, start); at >= 0; at = text.indexOf(mark, at + 1)) {
    let escapes = 0;
    while (at - escapes > start && text[at - escapes - 1] === '\\') escapes++;
    if (depth === 0 ? escapes % 2 === 0 : escapes === depth) return at - depth;
  }
  return text.length;
}

function matchAt(pattern: RegExp, text: string, start: number): string | undefined {
  pattern.lastIndex = start;
  return pattern.exec(text)?.[0];
}
