/**
 * Takes secrets out of a text before it reaches a span, a log line or a store: credentials and query values in URLs,
 * values of secret headers and of keys that are named like secrets, bearer and basic tokens, JSON Web Tokens, keys of
 * well-known shapes, PEM blocks and card numbers. Takes time linear in the text; cut long texts first.
 *
 * It errs on the side of hiding: what it leaves is not proven harmless, so put no secret in a message knowingly.
 */
export function redact(text: string): string {
  let clean = text;
  for (const [pattern, replacement] of RULES) clean = clean.replace(pattern, replacement);
  return clean.replace(CARD_NUMBER, digits => (isCardNumber(digits) ? HIDDEN : digits));
}

const HIDDEN = '[redacted]';

/** Parts of names that make a key a secret one, in headers, JSON, query strings and connection strings. */
const SECRET_WORD =
  '(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|auth(?:orization)?|credential|signature|sig|session|cookie|otp|pin|cvv|ssn)';
const SECRET_KEY = `[\\w.-]{0,40}${SECRET_WORD}[\\w.-]{0,40}`;

/** Every quantifier is bounded or followed by something that it cannot match, so no text makes a pattern backtrack far. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{1,40}-----[\s\S]*?(?:-----END [A-Z ]{1,40}-----|$)/g, HIDDEN],
  // scheme://user:password@host
  [/(\b[a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/?#@"'<>]{1,512}@/gi, `$1${HIDDEN}@`],
  // Every query value: what a parameter means is not ours to know. Numbers of one to four digits are pages and limits.
  [/([?&;][\w.~%[\]-]{1,80}=)(?!\d{1,4}(?:[&;#\s"'<>]|$))[^\s&;#"'<>]{1,2048}/g, `$1${HIDDEN}`],
  [/\b(bearer|basic|digest|negotiate)\s+[\w.~+/=:-]{4,4096}/gi, `$1 ${HIDDEN}`],
  [/\beyJ[\w-]{4,2048}\.[\w-]{4,4096}(?:\.[\w-]{0,2048})?/g, HIDDEN],
  // Cookie: a=b; c=d and Authorization: anything, to the end of the line
  [
    /\b((?:set-)?cookie|(?:proxy-)?authorization|x-api-key)(["']?\s{0,8}[:=]\s{0,8})(?!\[redacted\])[^\r\n]{1,4096}/gi,
    `$1$2${HIDDEN}`,
  ],
  // "key": "value" and key='value', the value to its closing quote
  [
    new RegExp(`(\\b${SECRET_KEY}["']?\\s{0,8}[:=]\\s{0,8})(["'])(?:(?!\\2)[^\\\\]|\\\\.){0,4096}(?:\\2|$)`, 'gi'),
    `$1$2${HIDDEN}$2`,
  ],
  // key=value and key: value
  [
    new RegExp(`(\\b${SECRET_KEY}\\s{0,8}[:=]\\s{0,8})(?!["'\\s]|\\[redacted\\])[^\\s,;&"'}\\])]{1,4096}`, 'gi'),
    `$1${HIDDEN}`,
  ],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{12,20}\b/g, HIDDEN],
  [/\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|[sr]k_(?:live|test)_|AIza|npm_|hf_|SG\.)[\w.-]{10,255}/g, HIDDEN],
];

const CARD_NUMBER = /(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w.]?\d)/g;

/** The Luhn check (ISO/IEC 7812-1), so that identifiers and timestamps stay readable. */
function isCardNumber(text: string): boolean {
  const digits = [...text].filter(c => c >= '0' && c <= '9').map(Number);
  const sum = digits.reverse().reduce((total, digit, i) => {
    const value = i % 2 === 0 ? digit : digit * 2;
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}
