import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { doneTwice } from '../idempotence.ts';
import { capital } from '../say.ts';

/** Rules for calls that are not repeated all the same. */
export const sentOnce: Rule<FileView> = {
  code: 'sent-once',
  severity: 'info',
  why: 'What may have been carried out is not done again by itself, so for such calls the rule does less than it seems to.',
  fix: 'Send an Idempotency-Key with such requests; or make these calls by a policy of your own that says that a repeat does no harm.',
  find: ({ services }) =>
    services.flatMap(({ where, match, policy }) => {
      const doubt = doneTwice(match);
      if (doubt?.unless === undefined || policy.options.maxAttempts === 1) return [];
      return [{ where, what: `${capital(doubt.what)} are sent once unless ${doubt.unless} (${policy.where}).` }];
    }),
};
