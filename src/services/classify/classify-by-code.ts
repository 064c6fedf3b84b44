import { causesOf } from '../../engine/causes.ts';
import { type Classifier, classifyError } from '../../engine/classify.ts';
import { isRetryError } from '../../engine/errors.ts';
import type { ErrorClass } from '../../engine/outcome.ts';
import { read } from '../../engine/read.ts';
import { checkTable } from './check-table.ts';
import type { CodePattern, CodeProperty, CodeTable } from './code-table.ts';

/**
 * Makes a classifier for `retryOn` from lists of codes, for libraries that name their errors.
 *
 * What an error says of itself counts before what its causes say, and of its own properties the first that is in the
 * table. A code that is written out counts before a pattern; of patterns those of `permanent` are asked first, then
 * `throttled`, then `transient`. Errors of this library, such as an `AttemptTimeoutError`, keep their class unless the
 * table has their code. Never throws, whatever was thrown.
 *
 * @throws TypeError or RangeError when the table has no code, a code twice, or something that cannot be a code
 *
 * @example
 * ```ts
 * const retryOn = classifyByCode({
 *   transient: ['ECONNRESET', 'NATS_TIMEOUT', /^5\d\d$/],
 *   throttled: ['TOO_MANY_REQUESTS', 429],
 *   permanent: [/^AUTH_/],
 *   otherwise: 'permanent',
 * });
 * await retry(loadOrder, { operation: 'load_order', retryOn });
 * ```
 */
export function classifyByCode(table: CodeTable): Classifier {
  checkTable(table);
  const classes = LISTED.map(name => [name, table[name] ?? []] as const);
  const rules: Rules = {
    exact: new Map(classes.flatMap(([name, codes]) => codes.filter(isExact).map(code => [code, name] as const))),
    patterns: classes.flatMap(([name, codes]) => codes.filter(isPattern).map(code => [stateless(code), name] as const)),
    properties: [...(table.properties ?? CODE_PROPERTIES)],
  };
  const { otherwise = 'default', causes = true } = table;
  return error => {
    const own = classIn(rules, error);
    if (own !== undefined) return own;
    if (isRetryError(error)) return classifyError(error);
    for (const cause of causes ? causesOf(error) : []) {
      const found = classIn(rules, cause);
      if (found !== undefined) return found;
    }
    return otherwise === 'default' ? classifyError(error) : otherwise;
  };
}

interface Rules {
  readonly exact: ReadonlyMap<unknown, ErrorClass>;
  readonly patterns: readonly (readonly [RegExp, ErrorClass])[];
  readonly properties: readonly CodeProperty[];
}

/** The careful classes first: what may be both is not retried. */
const LISTED = ['permanent', 'throttled', 'transient'] as const;
const CODE_PROPERTIES: readonly CodeProperty[] = ['code', 'errno', 'status', 'statusCode', 'name'];
const LONGEST_CODE = 200;

function classIn({ exact, patterns, properties }: Rules, error: unknown): ErrorClass | undefined {
  for (const property of properties) {
    const code = read(error, property);
    if (typeof code !== 'string' && typeof code !== 'number') continue;
    const found = exact.get(code) ?? byPattern(patterns, String(code));
    if (found !== undefined) return found;
  }
  return undefined;
}

function byPattern(patterns: Rules['patterns'], code: string): ErrorClass | undefined {
  if (code.length > LONGEST_CODE) return undefined;
  return patterns.find(([pattern]) => pattern.test(code))?.[1];
}

function isExact(code: CodePattern): code is string | number {
  return typeof code !== 'object';
}

function isPattern(code: CodePattern): code is RegExp {
  return typeof code === 'object';
}

/** With the flag `g` or `y` a pattern would remember where it stopped, and answer differently from error to error. */
function stateless(pattern: RegExp): RegExp {
  return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
}
