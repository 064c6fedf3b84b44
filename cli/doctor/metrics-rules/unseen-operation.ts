import type { Rule } from '../finding.ts';
import { label, type MetricsView, sumBy } from '../metrics-view.ts';

/** Operations of the file that the process does not know. */
export const unseenOperation: Rule<MetricsView> = {
  code: 'unseen-operation',
  severity: 'info',
  why: 'The process has not loaded this file, or names the operation otherwise, and its policy is not in force.',
  fix: 'Compare the names, and look at RETRYSCOPE_CONFIG of the process.',
  find: view => {
    if (view.of('info').length === 0) return [];
    const seen = new Set([
      ...sumBy(view.of('calls'), label('operation')).keys(),
      ...sumBy(view.of('objectiveRatio'), label('operation')).keys(),
    ]);
    return (view.file?.operations ?? []).flatMap(({ where, operation }) =>
      seen.has(operation) ? [] : [{ where, what: `The metrics have no operation ${operation}.` }],
    );
  },
};
