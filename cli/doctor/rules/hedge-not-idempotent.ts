import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { doneTwice } from '../idempotence.ts';

/** A second attempt beside the first, where the work would be done twice. */
export const hedgeNotIdempotent: Rule<FileView> = {
  code: 'hedge-not-idempotent',
  severity: 'error',
  why: 'A hedge runs a call twice at the same time although nothing has failed.',
  fix: 'Take hedge out of this policy, or give the rule a policy of its own.',
  find: ({ services }) =>
    services.flatMap(({ where, match, policy }) => {
      // A request that may not be repeated is not hedged either.
      const isHedged = policy.options.hedge !== undefined && match.kind !== 'http';
      const doubt = isHedged ? doneTwice(match) : undefined;
      if (doubt === undefined) return [];
      return [
        { where, what: `It hedges ${doubt.what} (${policy.where}).`, severity: doubt.certain ? 'error' : 'warning' },
      ];
    }),
};
