import type { Rule } from '../finding.ts';
import { type MetricsView, series, total } from '../metrics-view.ts';
import { number } from '../say.ts';

/** A process that retries, and has no budget at all. */
export const retriesWithoutBudget: Rule<MetricsView> = {
  code: 'retries-without-budget',
  severity: 'warning',
  why: 'In an outage every call is tried in full: the load grows by that factor, and the service does not come back.',
  fix: 'Give the policies of each service a RetryBudget that they share.',
  find: view => {
    const retries = total(view.of('retries'));
    return retries > 0 && view.of('budgetCapacity').length === 0
      ? [
          {
            where: series('budgetCapacity'),
            what: `There is no budget, and there were ${number(retries)} retries.`,
          },
        ]
      : [];
  },
};
