import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { list } from '../say.ts';

/** Retries of errors that will be the same again. */
export const retryOnEverything: Rule<FileView> = {
  code: 'retry-on-everything',
  severity: 'warning',
  why: 'Mistakes in the program and refusals fail again at each attempt, and cost time and load.',
  fix: 'Leave retryOn out: the default retries what may go away. Or name codes such as ECONNRESET.',
  find: ({ policies }) =>
    policies.flatMap(({ where, options: { retryOn = [], maxAttempts } }) => {
      const wide = retryOn.filter(name => WIDE.has(name));
      return wide.length > 0 && maxAttempts > 1 ? [{ where, what: `retryOn has ${list(wide)}.` }] : [];
    }),
};

/** Names that nearly every error has, those of mistakes, and codes that mean no. */
const WIDE: ReadonlySet<string> = new Set([
  'Error',
  'AggregateError',
  'TypeError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'AbortError',
  'EACCES',
  'EPERM',
  'ERR_INVALID_ARG_TYPE',
  'ERR_INVALID_URL',
]);
