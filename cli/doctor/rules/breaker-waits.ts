import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { duration } from '../say.ts';

/** Calls that queue up before an open circuit. */
export const breakerWaits: Rule<FileView> = {
  code: 'breaker-waits',
  severity: 'warning',
  why: 'Calls that wait for a circuit to close pile up, and start together when it does.',
  fix: 'Set maxElapsed, or leave whenOpen out: calls then stop at once.',
  find: ({ policies }) =>
    policies.flatMap(({ where, options: { maxElapsed }, breaker }) => {
      const { whenOpen, openMs = 30_000 } = (breaker?.settings ?? {}) as { whenOpen?: string; openMs?: number };
      return breaker !== undefined && whenOpen === 'wait' && maxElapsed === Infinity
        ? [{ where, what: `It waits ${duration(openMs)} and longer for ${breaker.where}, and maxElapsed is not set.` }]
        : [];
    }),
};
