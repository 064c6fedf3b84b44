import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { doneTwice } from '../idempotence.ts';
import { capital, number } from '../say.ts';

/** Retries of calls whose second run does something again. */
export const retryNotIdempotent: Rule<FileView> = {
  code: 'retry-not-idempotent',
  severity: 'error',
  why: 'A call that failed may have been carried out: its retry pays, writes or sends a second time.',
  fix: 'Allow one attempt (maxAttempts: 1), or take out what is not idempotent; keep the rule only where the other side knows a repeated call by its key.',
  find: ({ services }) =>
    services.flatMap(({ where, match, policy }) => {
      const doubt = doneTwice(match);
      const { maxAttempts } = policy.options;
      if (doubt === undefined || doubt.unless !== undefined || maxAttempts === 1) return [];
      const what = `${capital(doubt.what)} are made up to ${number(maxAttempts)} times (${policy.where}).`;
      return [{ where, what, severity: doubt.certain ? 'error' : 'warning' }];
    }),
};
