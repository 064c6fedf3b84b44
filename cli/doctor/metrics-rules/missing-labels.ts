import { METRICS, type MetricName } from '../../../instrumentation/names.ts';
import type { Rule } from '../finding.ts';
import { label, type MetricsView, series } from '../metrics-view.ts';
import { list } from '../say.ts';

/** Series that have lost what tells them apart. */
export const missingLabels: Rule<MetricsView> = {
  code: 'missing-labels',
  severity: 'error',
  why: 'Rules and alerts group by these labels, and find nothing without them.',
  fix: 'Look for a view, a collector or a relabelling that drops labels, and take it out.',
  find: view =>
    FAMILIES.flatMap(family => {
      const samples = view.of(family);
      const lost = METRICS[family].labels
        .map(label)
        .filter(name => samples.some(({ labels }) => !Object.hasOwn(labels, name)));
      // An attempt that succeeded has no kind of error; exporters leave an empty label out.
      const missing = lost.filter(name => name !== label('errorType'));
      return missing.length === 0 ? [] : [{ where: series(family), what: `There is no label ${list(missing)}.` }];
    }),
};

const FAMILIES = Object.keys(METRICS) as MetricName[];
