import type { Rule } from '../finding.ts';
import { label, type MetricsView, series, sumBy } from '../metrics-view.ts';
import { count } from '../say.ts';

/** Attempts that go on after their call has given them up. */
export const lateResults: Rule<MetricsView> = {
  code: 'late-results',
  severity: 'warning',
  why: 'An attempt that ignores its signal goes on beside its own retry: the load is higher than the metrics say.',
  fix: 'Hand attempt.signal on to fetch, to the query, to whatever the attempt waits for.',
  find: view =>
    [...sumBy(view.of('lateResults'), label('operation'))].flatMap(([operation, value]) =>
      value > 0
        ? [
            {
              where: series('lateResults', { [label('operation')]: operation }),
              what: `${count(value, 'attempt')} settled after the call had stopped waiting.`,
            },
          ]
        : [],
    ),
};
