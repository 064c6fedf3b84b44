import type { Rule } from '../finding.ts';
import { label, type MetricsView, series } from '../metrics-view.ts';

/** Budgets of a fleet without their Redis. */
export const budgetDegraded: Rule<MetricsView> = {
  code: 'budget-degraded',
  severity: 'warning',
  why: 'Each process keeps to a share of its own until then: the limit of the fleet is looser, or tighter.',
  fix: 'Look at budget.fault for the reason (NOPERM, OOM, ECONNREFUSED), and mend Redis or its permissions.',
  find: view =>
    view.of('budgetMode').flatMap(({ labels, value }) => {
      const { [label('mode')]: mode, [label('budget')]: budget } = labels;
      return mode === 'degraded' && value === 1
        ? [
            {
              where: series('budgetMode', { [label('budget')]: budget, [label('mode')]: mode }),
              what: 'It cannot reach its Redis.',
            },
          ]
        : [];
    }),
};
