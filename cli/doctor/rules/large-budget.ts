import { budgetFacts } from '../budget-facts.ts';
import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { number } from '../say.ts';

/** Budgets that hold enough to make an outage worse. */
export const largeBudget: Rule<FileView> = {
  code: 'large-budget',
  severity: 'warning',
  why: 'All of it is spent when everything fails, by each process, on a service that has nothing to spare.',
  fix: 'Lower capacity: 10 to 20 retries are plenty.',
  find: ({ limits }) =>
    limits.flatMap(limit => {
      // The floor of a window is told of by itself.
      if (limit.section !== 'budgets' || limit.kind === 'window') return [];
      const { burst } = budgetFacts(limit);
      return burst >= MANY
        ? [{ where: limit.where, what: `A full one grants ${number(burst)} retries in a row to each process.` }]
        : [];
    }),
};

const MANY = 100;
