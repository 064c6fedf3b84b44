import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { number } from '../say.ts';

/** Operations whose retries nothing bounds. Calls to services have the budgets of the ready policies. */
export const noBudget: Rule<FileView> = {
  code: 'no-budget',
  severity: 'warning',
  why: 'In an outage every call is tried in full: the load grows by that factor, and the service does not come back.',
  fix: 'Name a budget of kind success that all policies for the same service share.',
  find: ({ operations }) =>
    [...Map.groupBy(operations, ({ policy }) => policy)].flatMap(([{ where, options, budget }]) =>
      budget === undefined && options.maxAttempts > 1
        ? [{ where, what: `Up to ${number(options.maxAttempts)} attempts for each call, and no budget.` }]
        : [],
    ),
};
