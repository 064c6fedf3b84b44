import type { Rule } from '../finding.ts';
import { label, type MetricsView, series, sumBy } from '../metrics-view.ts';
import { count } from '../say.ts';

/** Names for which there was no room any more. */
export const overflow: Rule<MetricsView> = {
  code: 'overflow',
  severity: 'warning',
  why: 'What has no room is shown as other, or not at all, and alerts do not see it.',
  fix: 'Give operations few, fixed names, and make budgets and breakers once.',
  find: view =>
    [...sumBy(view.of('overflow'), label('source'))].flatMap(([source, value]) =>
      value > 0
        ? [{ where: series('overflow', { [label('source')]: source }), what: `${count(value, 'record')} had no room.` }]
        : [],
    ),
};
