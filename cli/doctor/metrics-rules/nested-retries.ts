import type { Rule } from '../finding.ts';
import { label, type MetricsView, series, sumBy } from '../metrics-view.ts';
import { count } from '../say.ts';

/** Calls that are retried in more than one layer. */
export const nestedRetries: Rule<MetricsView> = {
  code: 'nested-retries',
  severity: 'warning',
  why: 'Two layers retry the same call: here one of them was held back, but a layer in another process or library is not.',
  fix: 'Retry in one layer: set maxAttempts to 1 in the outer, or in the inner one.',
  find: view =>
    [...sumBy(view.of('nestedSuppressed'), label('operation'))].flatMap(([operation, value]) =>
      value > 0
        ? [
            {
              where: series('nestedSuppressed', { [label('operation')]: operation }),
              what: `${count(value, 'call')} had been retried by a layer below.`,
            },
          ]
        : [],
    ),
};
