import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';

/** Attempts that may hang. */
export const noTimeLimit: Rule<FileView> = {
  code: 'no-time-limit',
  severity: 'warning',
  why: 'An attempt that hangs is no failure: it is never retried, and its caller waits without end.',
  fix: 'Set attemptTimeout, and maxElapsed for the whole call.',
  find: ({ policies }) =>
    policies.flatMap(({ where, options: { attemptTimeout, maxElapsed }, usedBy }) =>
      attemptTimeout === Infinity && maxElapsed === Infinity && usedBy.length > 0
        ? [{ where, what: 'Neither attemptTimeout nor maxElapsed is set.' }]
        : [],
    ),
};
