import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';

/** Limits that the metrics cannot tell apart. */
export const sameLabel: Rule<FileView> = {
  code: 'same-label',
  severity: 'warning',
  why: 'Metrics and alerts cannot tell the two apart.',
  fix: 'Leave name out: it is the name in the file then.',
  find: ({ limits }) =>
    [...Map.groupBy(limits, ({ section, label }) => `${section} ${label}`).values()].flatMap(([first, ...others]) =>
      others.map(({ where, label }) => ({ where, what: `Its name is ${label}, as is that of ${first?.where}.` })),
    ),
};
