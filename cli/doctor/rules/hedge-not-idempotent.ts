import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';

/** A second attempt beside the first, where the work would be done twice. Elsewhere such calls are not hedged. */
export const hedgeNotIdempotent: Rule<FileView> = {
  code: 'hedge-not-idempotent',
  severity: 'warning',
  why: 'A hedge runs a call twice at the same time although nothing has failed.',
  fix: 'Take hedge out of this policy, or give the rule a policy of its own.',
  find: ({ services }) =>
    services.flatMap(({ where, match, policy }) => {
      const { hedge, maxAttempts } = policy.options;
      if (match.kind !== 'kafka' || hedge === undefined || maxAttempts === 1) return [];
      return [{ where, what: `It hedges messages to Kafka (${policy.where}).` }];
    }),
};
