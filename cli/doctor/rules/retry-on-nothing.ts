import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { list } from '../say.ts';

/** A choice of errors that no error is in. */
export const retryOnNothing: Rule<FileView> = {
  code: 'retry-on-nothing',
  severity: 'warning',
  why: 'Names stand for the code or the name of an error and for nothing else, so nothing is retried.',
  fix: 'Leave retryOn out for all transient errors, or name codes such as ECONNRESET.',
  find: ({ policies }) =>
    policies.flatMap(({ where, options: { retryOn, maxAttempts } }) => {
      if (retryOn === undefined || maxAttempts === 1 || !retryOn.every(name => isNoError(name))) return [];
      return [
        { where, what: retryOn.length === 0 ? 'retryOn is an empty list.' : `retryOn has only ${list(retryOn)}.` },
      ];
    }),
};

/** Patterns, words for everything, and what looks like an HTTP status. */
function isNoError(name: string): boolean {
  return name === '' || /[*?\s]/.test(name) || /^(all|any|always|true|transient|[1-5]\d\d|[1-5]xx)$/i.test(name);
}
