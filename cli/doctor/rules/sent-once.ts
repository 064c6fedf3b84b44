import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { doneTwice } from '../idempotence.ts';
import { capital } from '../say.ts';
import { whyNever } from './never-applied.ts';

/** Rules for calls that are not repeated all the same. */
export const sentOnce: Rule<FileView> = {
  code: 'sent-once',
  severity: 'info',
  why: 'What may have been carried out is not done again by itself, so for such calls the rule does less than it seems to.',
  fix: 'Send an Idempotency-Key with such requests; or make these calls by a policy of your own that says that a repeat does no harm.',
  find: ({ services }) =>
    services.flatMap(service => {
      const { where, match, policy } = service;
      const { maxAttempts, hedge } = policy.options;
      const doubt = doneTwice(match);
      if (doubt?.unless === undefined || maxAttempts === 1 || whyNever(service) !== undefined) return [];
      const hedged = hedge === undefined ? '' : ', and what is sent once is not hedged';
      return [
        { where, what: `${capital(doubt.what)} are sent once unless ${doubt.unless}${hedged} (${policy.where}).` },
      ];
    }),
};
