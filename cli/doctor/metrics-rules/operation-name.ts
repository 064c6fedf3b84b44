import { OTHER } from '../../../instrumentation/names.ts';
import type { Rule } from '../finding.ts';
import { label, type MetricsView, series, sumBy } from '../metrics-view.ts';
import { count } from '../say.ts';

/** Calls that nobody has named. */
export const operationName: Rule<MetricsView> = {
  code: 'operation-name',
  severity: 'warning',
  why: 'Calls of different kinds are thrown together, and no alert can say which of them fails.',
  fix: 'Give each policy its operation; a function without a name is called anonymous.',
  find: view =>
    [...sumBy(view.of('calls'), label('operation'))].flatMap(([operation, calls]) =>
      NAMELESS.has(operation) && calls > 0
        ? [
            {
              where: series('calls', { [label('operation')]: operation }),
              what: `${count(calls, 'call')} under this name.`,
            },
          ]
        : [],
    ),
};

const NAMELESS: ReadonlySet<string> = new Set(['anonymous', OTHER, '']);
