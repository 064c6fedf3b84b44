import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { count, number } from '../say.ts';

/** Attempts that hardly end, with nothing else to end them. */
export const unboundedAttempts: Rule<FileView> = {
  code: 'unbounded-attempts',
  severity: 'error',
  why: 'Calls that go on for ever pile up during an outage, and come back all at once when it ends.',
  fix: 'Set maxAttempts to 3 to 5, or maxElapsed beside it.',
  find: ({ policies }) =>
    policies.flatMap(({ where, options: { maxAttempts, maxElapsed } }) =>
      maxAttempts > MOST_ATTEMPTS && maxElapsed === Infinity
        ? [
            {
              where,
              what: `It allows ${count(maxAttempts, 'attempt')}, and maxElapsed is not set; above ${number(MOST_ATTEMPTS)} it is no limit.`,
            },
          ]
        : [],
    ),
};

const MOST_ATTEMPTS = 20;
