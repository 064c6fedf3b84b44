import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { duration } from '../say.ts';

/** Hedges that double the load, or that nothing limits. */
export const hedgeTooEarly: Rule<FileView> = {
  code: 'hedge-too-early',
  severity: 'warning',
  why: 'Hedges are made although nothing has failed: for most calls, or for all of them when the other side slows down.',
  fix: 'Set hedge to what 95 % of the attempts stay below, and give the policy a budget.',
  find: ({ policies, operations }) =>
    policies.flatMap(policy => {
      const { hedge, maxAttempts } = policy.options;
      if (hedge === undefined || maxAttempts === 1) return [];
      const { where, budget, usedBy } = policy;
      if (hedge < EARLIEST) return [{ where, what: `The second attempt starts after ${duration(hedge)}.` }];
      // Calls to services have the budgets of the ready policies.
      const isBounded = budget !== undefined || (usedBy.length > 0 && !operations.some(each => each.policy === policy));
      return isBounded ? [] : [{ where, what: `It hedges after ${duration(hedge)} without a budget.` }];
    }),
};

/** Milliseconds: hardly a call over a network is back before. */
const EARLIEST = 10;
