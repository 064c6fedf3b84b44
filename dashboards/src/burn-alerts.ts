import { alert } from './alert.ts';
import type { BurnWindow, DashboardsConfig } from './config.ts';
import type { AlertRule } from './rule-file.ts';
import { label, RECORDED } from './series.ts';

/**
 * The burn-rate alerts: retries per call against the objective of each operation, over a long window that says that it
 * matters and a short one that says that it still goes on.
 * (Source: The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".)
 */
export function burnAlerts(config: DashboardsConfig): AlertRule[] {
  return config.windows.map(window => burnAlert(config, window));
}

function burnAlert(config: DashboardsConfig, window: BurnWindow): AlertRule {
  const { long, short, factor } = window;
  const burns = (record: string): string => `${record} > ${threshold(config, factor)}`;
  return alert(config, {
    name: 'RetryBudgetBurn',
    severity: window.severity,
    expr: [
      burns(RECORDED.retriesPerCall(long)),
      burns(RECORDED.retriesPerCall(short)),
      `${RECORDED.calls(long)} > ${config.minCallRate}`,
    ].join(' and '),
    for: window.for,
    keepFiringFor: '5m',
    labels: { long, short },
    summary: `Operation {{ $labels.${label('operation')} }} of {{ $labels.${config.jobLabel} }} retries more than its objective allows.`,
    description: `{{ $value | printf "%.3g" }} retries per call over ${long}, and the last ${short} are no better: more than ${times(factor)}the objective allows. At this pace a month's allowance is gone within ${pace(factor)}.`,
    dashboard: {
      uid: 'retry-operation',
      variables: { job: config.jobLabel, operation: label('operation') },
    },
  });
}

function threshold({ objective, jobLabel }: DashboardsConfig, factor: number): string {
  // Not 0.288000…4: the number is read by people.
  if (objective !== 'exported') return String(Number((factor * objective).toPrecision(6)));
  return `on (${jobLabel}, ${label('operation')}) group_left () (${factor} * ${RECORDED.objective})`;
}

function times(factor: number): string {
  return factor === 1 ? '' : `${factor} times what `;
}

/** How long a budget for thirty days lasts at most. */
function pace(factor: number): string {
  const days = 30 / factor;
  return days >= 3 ? `${Math.ceil(days)} days` : `${Math.ceil(days * 24)} hours`;
}
