import { type DashboardsConfig, DEFAULT_OBJECTIVE } from '../../../dashboards/src/config.ts';
import { budgetFacts } from '../budget-facts.ts';
import type { FileView, PolicyEntry } from '../file-view.ts';
import type { Hit, Rule } from '../finding.ts';
import { list, number } from '../say.ts';

/** Alerts that no number of retries can raise. */
export const unreachableAlert: Rule<FileView> = {
  code: 'unreachable-alert',
  severity: 'error',
  why: 'An alert that cannot fire is taken for good news.',
  fix: 'Lower the objective of the operation (setRetryObjective), or the factors of --alerts; see retryscope dashboards --help.',
  find: ({ operations, services, alerts }) => {
    const named = [...operations, ...services].filter(({ policy }) => policy.options.maxAttempts > 1);
    return [...Map.groupBy(named, ({ policy }) => policy)].flatMap(([policy, [first]]) =>
      first === undefined ? [] : unreachable(policy, first.where, alerts),
    );
  },
};

/** Burn alerts, in words, that need as many retries per call as there can never be. */
export function beyond(alerts: DashboardsConfig, objective: number, retriesPerCall: number): string[] {
  return alerts.windows
    .filter(({ factor }) => factor * objective >= retriesPerCall)
    .map(({ long, factor }) => `${long} (${number(factor * objective)})`);
}

function unreachable({ options, budget }: PolicyEntry, where: string, alerts: DashboardsConfig): Hit[] {
  const objective = alerts.objective === 'exported' ? DEFAULT_OBJECTIVE : alerts.objective;
  const most = options.maxAttempts - 1;
  const never = beyond(alerts, objective, most);
  const hits: Hit[] = [];
  if (never.length > 0) {
    const what = `RetryBudgetBurn over ${list(never)} needs more retries per call than the ${number(most)} that ${number(options.maxAttempts)} attempts allow.`;
    hits.push({ where, what });
  }
  if (options.maxAttempts <= alerts.stormAmplification) {
    const what = `RetryStorm needs more than ${number(alerts.stormAmplification)} attempts per call, and there are at most ${number(options.maxAttempts)}.`;
    hits.push({
      where,
      what,
      severity: 'info',
      fix: 'Nothing, if the burn alerts are enough; else lower stormAmplification.',
    });
  }
  const granted = budget === undefined ? undefined : budgetFacts(budget).retriesPerCall;
  const pages = alerts.windows.filter(({ severity }) => severity === 'critical');
  const held = granted === undefined ? [] : beyond({ ...alerts, windows: pages }, objective, granted);
  if (never.length === 0 && granted !== undefined && pages.length > 0 && held.length === pages.length) {
    hits.push({
      where,
      what: `${budget?.where} grants ${number(granted)} retries per call in the long run; the burn alerts that page need ${list(held)}.`,
      severity: 'info',
      fix: 'Watch RetryBudgetDenied and RetryBudgetTokensLow, which tell sooner; or lower the objective.',
    });
  }
  return hits;
}
