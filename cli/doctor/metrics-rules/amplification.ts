import type { Rule } from '../finding.ts';
import { label, type MetricsView, series, sumBy } from '../metrics-view.ts';
import { number } from '../say.ts';

/** Operations that have multiplied their load. */
export const amplification: Rule<MetricsView> = {
  code: 'amplification',
  severity: 'warning',
  why: 'What it calls gets that many times its usual load, and it fails: retries may be what keeps it down.',
  fix: 'Give the policy a budget, and look in the dashboard Retry / Operation for the error.',
  find: view => {
    const attempts = sumBy(view.of('attempts'), label('operation'));
    return [...sumBy(view.of('calls'), label('operation'))].flatMap(([operation, calls]) => {
      const factor = (attempts.get(operation) ?? 0) / calls;
      if (calls < ENOUGH || factor < view.alerts.stormAmplification) return [];
      const where = series('attempts', { [label('operation')]: operation });
      return [
        { where, what: `${number(factor)} attempts for each of ${number(calls)} calls, since the process started.` },
      ];
    });
  },
};

const ENOUGH = 100;
