import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { duration } from '../say.ts';

/** Calls that go on after whoever asked has gone. */
export const longerThanCallers: Rule<FileView> = {
  code: 'longer-than-callers',
  severity: 'warning',
  why: 'Whoever calls you gives up before, and calls again: the work is done for nobody, and then a second time.',
  fix: 'Set maxElapsed below what your callers wait; --caller-timeout tells this command how long that is.',
  find: ({ policies, callerTimeoutMs }) =>
    policies.flatMap(({ where, options: { attemptTimeout, maxAttempts }, usedBy, worstCase }) => {
      const isOpen = attemptTimeout === Infinity;
      const longest = worstCase(isOpen ? ASSUMED_ATTEMPT : attemptTimeout);
      if (longest <= callerTimeoutMs || usedBy.length === 0 || maxAttempts === 1) return [];
      const assumed = isOpen ? ` with attempts of ${duration(ASSUMED_ATTEMPT)}` : '';
      const what = `A call can take ${duration(longest)}${assumed}; callers wait ${duration(callerTimeoutMs)}.`;
      return [{ where, what }];
    }),
};

/** How long an attempt is taken to last where nothing limits it, in milliseconds. */
const ASSUMED_ATTEMPT = 5000;
