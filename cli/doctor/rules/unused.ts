import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';

/** What stands in the file for nothing. */
export const unused: Rule<FileView> = {
  code: 'unused',
  severity: 'warning',
  why: 'It protects nothing, although it looks as if it did.',
  fix: 'Name it in a policy, an operation or a rule, or take it out.',
  find: ({ limits, policies }) => [
    ...limits.flatMap(({ where, usedBy }) => (usedBy.length === 0 ? [{ where, what: 'No policy names it.' }] : [])),
    ...policies.flatMap(({ where, usedBy }) =>
      usedBy.length === 0 ? [{ where, what: 'No operation and no rule has it.', severity: 'info' as const }] : [],
    ),
  ],
};
