import { METRICS, type MetricName } from '../../../instrumentation/names.ts';
import type { Rule } from '../finding.ts';
import { type MetricsView, series, total } from '../metrics-view.ts';
import { list } from '../say.ts';

/** Metrics of calls that are there in part only. */
export const missingFamilies: Rule<MetricsView> = {
  code: 'missing-families',
  severity: 'warning',
  why: 'Panels stay empty and alerts silent that read them.',
  fix: 'Look for a view, a collector or a relabelling that drops metrics, and take it out.',
  find: view => {
    // Without a call there is nothing to show.
    if (total(view.of('calls')) === 0) return [];
    const missing = FAMILIES.filter(family => view.of(family).length === 0).map(family => METRICS[family].family);
    return missing.length === 0 ? [] : [{ where: series('calls'), what: `It is there, and ${list(missing)} not.` }];
  },
};

/** What every call leaves. */
const FAMILIES: readonly MetricName[] = [
  'attempts',
  'callDuration',
  'attemptDuration',
  'callAttempts',
  'objectiveRatio',
];
