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
      description: `{{ $value | humanize }} attempts for each call, above ${config.stormAmplification}. A dependency in trouble gets that many times its usual load.`,
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
      expr: `sum by (${jobLabel}, ${label('operation')}) (rate(${series(config, 'calls', [oneOf('outcome', OUTCOMES.denied)])}[${scaled('5m', config.timeScale)}])) > 0`,
      for: '5m',
      summary: `The retry budget refuses retries of operation ${where}.`,
      description: `{{ $value | humanize }} calls a second end without the retry that they asked for. The budget does its work: something behind this operation fails too often.`,
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
