import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';

/** Clients that come back sooner than they were asked to. */
export const hintIgnored: Rule<FileView> = {
  code: 'hint-ignored',
  severity: 'warning',
  why: 'A server that asks for time is called again before, and may then refuse for longer.',
  fix: 'Leave retryAfter out; maxDelay bounds what a server may ask for.',
  find: ({ policies }) =>
    policies.flatMap(({ where, options: { retryAfter, maxAttempts } }) =>
      !retryAfter && maxAttempts > 1 ? [{ where, what: 'retryAfter is off.' }] : [],
    ),
};
