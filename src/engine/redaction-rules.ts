import { HIDDEN } from './redaction-values.ts';

export { HIDDEN } from './redaction-values.ts';

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
 * Hides what has the shape of a secret: bearer and basic tokens, and the addresses of webhooks. Each pattern either
 * consumes what it looks at, or looks a bounded way: time is linear in the text.
 */
export function hideShapes(text: string): string {
  let clean = text;
  for (const [pattern, replacement] of SHAPES) clean = clean.replace(pattern, replacement);
  if (!QUOTE.test(clean)) return clean;
  for (const [pattern, replacement] of QUOTED_SHAPES) clean = clean.replace(pattern, replacement);
  return clean;
}

/** Hides tokens that are known by their first letters, JSON Web Tokens and card numbers, wherever they stand. */
export function hideTokens(text: string): string {
  if (text.length < SHORTEST_TOKEN) return text;
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

const SHAPES: readonly (readonly [RegExp, string])[] = [
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

const QUOTE = /["'`]/;
const QUOTED_SHAPES: readonly (readonly [RegExp, string])[] = [
  [
    /\b(bearer)(\s{0,4}\\{0,7}["'`])(?!(?:auth|auth[eo][a-z]+|tokens?|credentials?|scheme|realm|error)(?![\w~+/=:-]|\.\w))[\w.~+/=:-]{4,}/gi,
    `$1$2${HIDDEN}`,
  ],
  // A shorter one than without quotation marks, but not what a parser quotes of its text.
  [
    /\b(?<!\b(?:un)?expected\s{1,4}|\billegal\s{1,4})(token|jwt|apikey)(\s{1,4}\\{0,7}["'`])(?=[\w.~+/=:-]{0,64}\d|[\w.~+/=:-]{20})[\w.~+/=:-]{6,}/gi,
    `$1$2${HIDDEN}`,
  ],
];

const TOKENS: readonly RegExp[] = [
  // A JSON Web Token, or any JSON in base64: both begin with {" and that is eyJ.
  /(?<![A-Za-z\d])eyJ[\w-]{14,}(?:\.[\w-]*)*/g,
  /(?<![A-Za-z\d])(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA)[A-Z\d]{12,}/g,
  /(?<![A-Za-z\d])(?:gh[pousr]_|github_pat_|glpat-|xox[a-z]-|xapp-|[rsp]k_(?:live|test)_|whsec_|AIza|ya29\.|hv[sb]\.|dop_v1_|shp(?:at|ca|pa|ss)_|sntry[su]_|lin_api_|pypi-)[\w.-]{10,}/g,
  /(?<![A-Za-z\d])(?:(?:npm|hf)_[A-Za-z\d]{20,}|sk-[\w-]{20,}|SG\.[\w-]{10,}\.[\w-]{10,})/g,
];

/** The least that any of these patterns, and a card, takes: most keys are shorter. */
const SHORTEST_TOKEN = 13;

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
