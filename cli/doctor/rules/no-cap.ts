import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { duration } from '../say.ts';

/** Delays that grow beyond what anybody waits for. */
export const noCap: Rule<FileView> = {
  code: 'no-cap',
  severity: 'error',
  why: 'Delays that grow without a cap keep calls waiting long after the other side is back.',
  fix: 'Set maxDelay to what a caller would wait for: 10000 is plenty where somebody waits.',
  find: ({ policies }) =>
    policies.flatMap(({ where, options, waits }) => {
      const longest = Math.max(0, ...waits);
      if (longest > LONGEST_WAIT) {
        return [{ where, what: `One wait can take ${duration(longest)}; maxDelay is ${duration(options.maxDelay)}.` }];
      }
      if (options.maxAttempts > 1 && options.retryAfter && options.maxDelay > LONGEST_WAIT) {
        const what = `maxDelay is ${duration(options.maxDelay)}, and a server that sends Retry-After may ask for all of it.`;
        return [{ where, what, severity: 'warning' }];
      }
      return [];
    }),
};

/** Milliseconds. */
const LONGEST_WAIT = 5 * 60_000;
