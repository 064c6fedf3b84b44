import { budgetFacts } from '../budget-facts.ts';
import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { number } from '../say.ts';

/** Budgets that allow so many retries that they are none. */
export const generousBudget: Rule<FileView> = {
  code: 'generous-budget',
  severity: 'warning',
  why: 'The load may grow by as much as retries are granted, just when the other side fails.',
  fix: 'Set ratio to 0.1 to 0.2: one retry for five to ten calls.',
  find: ({ limits }) =>
    limits.flatMap(limit => {
      if (limit.section !== 'budgets') return [];
      const { retriesPerCall } = budgetFacts(limit);
      if (retriesPerCall === undefined || retriesPerCall < GENEROUS || retriesPerCall === Infinity) return [];
      const what = `It grants ${number(retriesPerCall)} retries for each call.`;
      return [{ where: limit.where, what, severity: retriesPerCall >= 1 ? 'error' : 'warning' }];
    }),
};

const GENEROUS = 0.5;
