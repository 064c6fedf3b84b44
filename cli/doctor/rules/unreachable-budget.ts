import { type BudgetFacts, budgetFacts } from '../budget-facts.ts';
import type { FileView, LimitEntry } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { number } from '../say.ts';

/** Budgets that grant nothing. */
export const unreachableBudget: Rule<FileView> = {
  code: 'unreachable-budget',
  severity: 'error',
  why: 'A budget that can never pay for a retry turns retries off, and looks as if they were on.',
  fix: 'Raise capacity above cost, and ratio above 0; or set maxAttempts to 1 and leave the budget out.',
  find: ({ limits }) =>
    limits.flatMap(limit => {
      if (limit.section !== 'budgets') return [];
      const what = lackOf(limit, budgetFacts(limit));
      return what === undefined ? [] : [{ where: limit.where, ...what }];
    }),
};

function lackOf(
  { kind, settings }: LimitEntry,
  { capacity, cheapest, dearest, retriesPerCall }: BudgetFacts,
): { readonly what: string; readonly severity?: 'warning' } | undefined {
  if (kind === 'window') {
    return retriesPerCall === 0 ? { what: 'Neither ratio nor minPerSecond brings any tokens.' } : undefined;
  }
  if (cheapest > capacity) {
    return { what: `It holds ${number(capacity)} tokens, and the cheapest retry costs ${number(cheapest)}.` };
  }
  if (retriesPerCall === 0) {
    return {
      what: `ratio is 0: once its ${number(capacity)} tokens are spent, there is no retry until the process ends.`,
    };
  }
  if (dearest > capacity) {
    return {
      what: `It holds ${number(capacity)} tokens, and the dearest retry costs ${number(dearest)}.`,
      severity: 'warning',
    };
  }
  return settings.initial === 0
    ? { what: 'It starts with no tokens: nothing is retried in the first minutes.', severity: 'warning' }
    : undefined;
}
