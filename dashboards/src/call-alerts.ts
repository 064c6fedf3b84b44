import { alert, type DashboardLink } from './alert.ts';
import type { DashboardsConfig } from './config.ts';
import { scaled } from './duration.ts';
import type { AlertRule } from './rule-file.ts';
import { label, OUTCOMES, oneOf, RECORDED, series } from './series.ts';

/** What goes wrong with the calls of an operation. */
export function callAlerts(config: DashboardsConfig): AlertRule[] {
  const { jobLabel, minCallRate, minRetryRate } = config;
  const where = `{{ $labels.${label('operation')} }} of {{ $labels.${jobLabel} }}`;
  const dashboard: DashboardLink = {
    uid: 'retry-operation',
    variables: { job: jobLabel, operation: label('operation') },
  };
  return [
    alert(config, {
      name: 'RetryStorm',
      severity: 'critical',
      expr: `${RECORDED.amplification} > ${config.stormAmplification} and ${RECORDED.retries('5m')} > ${config.stormRetryRate}`,
      for: '5m',
      summary: `Retries of operation ${where} multiply the load on what it calls.`,
      description: `{{ $value | printf "%.3g" }} attempts for each call; above ${config.stormAmplification} it is a storm. A dependency in trouble gets that many times its usual load.`,
      dashboard,
    }),
    alert(config, {
      name: 'RetryExhaustionHigh',
      severity: 'critical',
      expr: `${RECORDED.exhausted} > ${config.exhaustedRatio} and ${RECORDED.calls('5m')} > ${minCallRate}`,
      for: '10m',
      summary: `Calls of operation ${where} fail in spite of their retries.`,
      description: `{{ $value | humanizePercentage }} of the calls gave up: out of attempts, time or budget. Their callers got an error.`,
      dashboard,
    }),
    alert(config, {
      name: 'RetryNotHelping',
      severity: 'warning',
      expr: `${RECORDED.recovered} < ${config.minRecoveredRatio} and ${RECORDED.retries('5m')} > ${minRetryRate}`,
      for: '15m',
      summary: `Retries of operation ${where} hardly ever help.`,
      description: `Only {{ $value | humanizePercentage }} of the retried calls recovered. The rest waited, added load, and failed.`,
      dashboard,
    }),
    alert(config, {
      name: 'RetryBudgetDenied',
      severity: 'warning',
      expr: `round(sum by (${jobLabel}, ${label('operation')}) (increase(${series(config, 'calls', [oneOf('outcome', OUTCOMES.denied)])}[${scaled('5m', config.timeScale)}]))) > 0`,
      for: '5m',
      summary: `The retry budget, or an adaptive limit, says no to operation ${where}.`,
      description: `Calls in the last 5 minutes that ended with that no: {{ $value | humanize }}. The limit does its work: something behind this operation fails too often.`,
      dashboard,
    }),
    alert(config, {
      name: 'RetryDelayDominates',
      severity: 'warning',
      expr: `${RECORDED.delayShare} > ${config.delayShare} and ${RECORDED.calls('5m')} > ${minCallRate}`,
      for: '15m',
      summary: `Callers of operation ${where} spend most of their time waiting between attempts.`,
      description: `{{ $value | humanizePercentage }} of the time of the calls is backoff, not work.`,
      dashboard,
    }),
  ];
}
