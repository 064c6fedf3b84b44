import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { number } from '../say.ts';

/** Breakers that a single unlucky call opens for everybody. */
export const breakerOpensAtOnce: Rule<FileView> = {
  code: 'breaker-opens-at-once',
  severity: 'warning',
  why: 'One call that fails with all its attempts shuts out every other call, also those that would succeed.',
  fix: 'Let it count more failures than one call has attempts, or a share of attempts (kind time).',
  find: ({ policies }) =>
    policies.flatMap(({ where, options: { maxAttempts }, breaker }) => {
      const { trip } = (breaker?.settings ?? {}) as { trip?: { kind: string; failures?: number } };
      if (breaker === undefined || maxAttempts === 1 || (trip !== undefined && trip.kind !== 'consecutive')) return [];
      const failures = trip?.failures ?? 5;
      if (failures > maxAttempts) return [];
      const what = `${breaker.where} opens after ${number(failures)} failures in a row, and one call makes up to ${number(maxAttempts)} attempts.`;
      return [{ where, what }];
    }),
};
