const TEXT = String.raw`(?:"(?:[^"\\]|\\.)*"|${'`[^`]*`'})`;
const NAME = String.raw`[a-zA-Z_]\w*`;
const MATCHER = String.raw`${NAME}\s*(?:=~|!~|!=|=)\s*${TEXT}`;
const NUMBER = String.raw`\d+(?:\.\d+)?(?:[a-zA-Z]+)?`;
const FILTER = String.raw`${NAME}\s*(?:(?:=~|!~|!=|=)\s*${TEXT}|(?:==|!=|>=|<=|>|<)\s*${NUMBER})`;
const STAGE = [
  String.raw`\|\s*${FILTER}(?:\s+(?:and|or)\s+${FILTER})*`,
  String.raw`(?:\|=|!=|\|~|!~)\s*${TEXT}`,
  String.raw`\|\s*(?:json|logfmt|unpack)`,
  String.raw`\|\s*(?:regexp|pattern|line_format)\s+${TEXT}`,
].join('|');
const LINES = String.raw`\{\s*${MATCHER}(?:\s*,\s*${MATCHER})*\s*\}(?:\s*(?:${STAGE}))*`;
const RANGE = String.raw`\[\s*(?<range>[^\]]+?)\s*\]`;
const RATE = String.raw`(?:\w+\s*(?:by|without)?\s*(?:\([^()]*\))?\s*\()?\s*\w+_?\w*\(\s*${LINES}\s*${RANGE}\s*\)\s*\)?`;

/**
 * Whether a query is LogQL of the kinds that a dashboard needs: lines of streams, through filters and parsers, and
 * what is counted of them in a range. Anything else is refused, though Loki may know it.
 */
export function isLogql(query: string): boolean {
  if (matches(LINES, query)) return canMatchSomething(query);
  return matches(RATE, query) && canMatchSomething(query);
}

/** The range of a query that counts lines. */
export function logqlRange(query: string): string | undefined {
  return new RegExp(`^\\s*${RATE}\\s*$`).exec(query)?.groups?.range;
}

function matches(pattern: string, query: string): boolean {
  return new RegExp(`^\\s*(?:${pattern})\\s*$`).test(query);
}

/** Loki refuses a query whose matchers all match an absent label. */
function canMatchSomething(query: string): boolean {
  const [, matchers = ''] = /\{([^}]*)\}/.exec(query) ?? [];
  return [...matchers.matchAll(new RegExp(`(=~|!~|!=|=)\\s*(${TEXT})`, 'g'))].some(([, op, quoted = '']) => {
    const text = quoted.slice(1, -1);
    if (op === '=') return text !== '';
    return op === '=~' && !new RegExp(`^(?:${text})$`).test('');
  });
}
