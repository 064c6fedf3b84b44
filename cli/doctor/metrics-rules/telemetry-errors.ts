import type { Rule } from '../finding.ts';
import { label, type MetricsView, series, sumBy } from '../metrics-view.ts';
import { count } from '../say.ts';

/** Code around the calls that throws. */
export const telemetryErrors: Rule<MetricsView> = {
  code: 'telemetry-errors',
  severity: 'warning',
  why: 'It was kept from the callers, but what should have happened did not: a classifier that throws, for one, turns retries off.',
  fix: 'Listen on the diagnostics channel, or look at faultCounts(), and mend what throws.',
  find: view =>
    [...sumBy(view.of('telemetryErrors'), label('source'))].flatMap(([source, value]) =>
      value > 0
        ? [
            {
              where: series('telemetryErrors', { [label('source')]: source }),
              what: `${count(value, 'fault')} of ${source}.`,
            },
          ]
        : [],
    ),
};
