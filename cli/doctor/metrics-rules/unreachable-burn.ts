import type { Rule } from '../finding.ts';
import { label, type MetricsView, series } from '../metrics-view.ts';
import { beyond } from '../rules/unreachable-alert.ts';
import { list, number } from '../say.ts';

/** Burn alerts that an operation can never raise, by the objective that it exports. */
export const unreachableBurn: Rule<MetricsView> = {
  code: 'unreachable-burn',
  severity: 'error',
  why: 'An alert that cannot fire is taken for good news.',
  fix: 'Lower the objective with setRetryObjective: below the retries per call of the policy, divided by the factor.',
  find: view => {
    const { alerts } = view;
    if (alerts.objective !== 'exported') return [];
    return view.of('objectiveRatio').flatMap(({ labels, value }) => {
      const operation = labels[label('operation')] ?? '';
      const attempts = mostAttempts(view, operation);
      if (attempts === undefined || attempts < 2) return [];
      const never = beyond(alerts, value, attempts - 1);
      if (never.length === 0) return [];
      const what = `It is ${number(value)}: RetryBudgetBurn over ${list(never)} needs more retries per call than the ${number(attempts - 1)} that there can be.`;
      return [{ where: series('objectiveRatio', { [label('operation')]: operation }), what }];
    });
  },
};

/**
 * The most attempts of an operation: what the policy file says, else what its calls have made where some ran out of
 * attempts.
 */
function mostAttempts(view: MetricsView, operation: string): number | undefined {
  const entry = [...(view.file?.operations ?? []), ...(view.file?.services ?? [])].find(
    each => each.operation === operation,
  );
  if (entry !== undefined) return entry.policy.options.maxAttempts;
  const isOf = ({ labels }: { readonly labels: Readonly<Record<string, string>> }): boolean =>
    labels[label('operation')] === operation;
  const exhausted = view
    .of('calls')
    .some(sample => isOf(sample) && sample.labels[label('outcome')] === 'attempts_exhausted' && sample.value > 0);
  if (!exhausted) return undefined;
  const failed = view.of('callAttempts').filter(sample => isOf(sample) && sample.labels[label('result')] === 'failure');
  const all = Math.max(...failed.map(({ value }) => value));
  // The last bucket, +Inf, is no bound.
  const bounds = failed.filter(({ value, labels }) => value === all && labels.le !== '+Inf');
  return bounds.length === 0 ? undefined : Math.min(...bounds.map(({ labels }) => Number(labels.le)));
}
