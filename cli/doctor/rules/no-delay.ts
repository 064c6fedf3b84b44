import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';

/** Retries without a wait. */
export const noDelay: Rule<FileView> = {
  code: 'no-delay',
  severity: 'warning',
  why: 'What has just failed is hit again at once, when it is least able to answer.',
  fix: 'Set initialDelay to 50 or more, and maxDelay above it.',
  find: ({ policies }) =>
    policies.flatMap(({ where, waits }) =>
      waits.length > 0 && waits.every(wait => wait === 0) ? [{ where, what: 'Retries follow at once.' }] : [],
    ),
};
