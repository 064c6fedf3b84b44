import { alert, type DashboardLink } from './alert.ts';
import type { DashboardsConfig } from './config.ts';
import { scaled, seconds } from './duration.ts';
import type { AlertRule } from './rule-file.ts';
import { label, series } from './series.ts';

/** What goes wrong with budgets, circuit breakers and dead letters. */
export function protectionAlerts(config: DashboardsConfig): AlertRule[] {
  return [...budgetAlerts(config), ...breakerAlerts(config), ...deadLetterAlerts(config)];
}

function budgetAlerts(config: DashboardsConfig): AlertRule[] {
  const { jobLabel } = config;
  const by = `${jobLabel}, ${label('budget')}`;
  const range = scaled('5m', config.timeScale);
  const where = `{{ $labels.${label('budget')} }} of {{ $labels.${jobLabel} }}`;
  return [
    alert(config, {
      name: 'RetryBudgetTokensLow',
      severity: 'warning',
      // Successes fill a budget: without calls it stays as it is, and that is nobody's trouble.
      expr: `min by (${by}) (avg_over_time(${series(config, 'budgetTokens')}[${range}]) / (max_over_time(${series(config, 'budgetCapacity')}[${range}]) > 0)) < ${config.tokensLowRatio} and sum by (${by}) (rate(${series(config, 'budgetWithdrawals')}[${scaled('30m', config.timeScale)}])) > 0`,
      for: '5m',
      summary: `The retry budget ${where} is nearly empty.`,
      description: `{{ $value | humanizePercentage }} of its tokens are left. Once they are gone, calls that fail get no retry.`,
      dashboard: protection(config),
    }),
    alert(config, {
      name: 'RetryBudgetDegraded',
      severity: 'warning',
      expr: `max by (${by}) (min_over_time(${series(config, 'budgetMode', [`${label('mode')}="degraded"`])}[${range}])) == 1`,
      for: '5m',
      summary: `The fleet's retry budget ${where} is without its Redis.`,
      description:
        'At least one process keeps to a small budget of its own until Redis answers again. Calls are not affected; the limit of the fleet is looser.',
      dashboard: protection(config),
    }),
  ];
}

function breakerAlerts(config: DashboardsConfig): AlertRule[] {
  const { jobLabel, instanceLabel } = config;
  const by = `${jobLabel}, ${instanceLabel}, ${label('breaker')}`;
  const where = `{{ $labels.${label('breaker')} }} in {{ $labels.${instanceLabel} }} of {{ $labels.${jobLabel} }}`;
  const range = (text: string): string => scaled(text, config.timeScale);
  const dashboard = protection(config, { instance: instanceLabel });
  return [
    alert(config, {
      name: 'CircuitBreakerOpenTooLong',
      severity: 'critical',
      // Probes make it half open now and then; what matters is that it has not been closed. Without calls it stays half
      // open, and that is nobody's trouble.
      expr: `max by (${by}) (max_over_time(${series(config, 'breakerState', [`${label('state')}="closed"`])}[${range('2m')}])) == 0 and sum by (${by}) (rate(${series(config, 'breakerCalls')}[${range('5m')}])) > 0`,
      for: config.breakerOpenFor,
      summary: `The circuit breaker ${where} stays open.`,
      description: `It has not been closed for ${config.breakerOpenFor}: all calls through it fail at once, or get their fallback.`,
      dashboard,
    }),
    alert(config, {
      name: 'CircuitBreakerFlapping',
      severity: 'warning',
      // Each probe that fails opens it again; only one that closed, and opened once more, flaps.
      expr: `round(sum by (${by}) (increase(${series(config, 'breakerTransitions', [`${label('to')}="closed"`])}[${range('15m')}]))) > ${config.breakerFlaps}`,
      keepFiringFor: '15m',
      summary: `The circuit breaker ${where} opens and closes again and again.`,
      description: `It closed {{ $value | humanize }} times within 15 minutes. What it guards answers a probe, and fails under load.`,
      dashboard,
    }),
  ];
}

function deadLetterAlerts(config: DashboardsConfig): AlertRule[] {
  const { jobLabel, deadLetterAge, timeScale } = config;
  const by = `${jobLabel}, ${label('queue')}`;
  const range = (text: string): string => scaled(text, timeScale);
  const depth = series(config, 'deadLetterDepth');
  const where = `{{ $labels.${label('queue')} }} of {{ $labels.${jobLabel} }}`;
  return [
    alert(config, {
      name: 'DeadLettersNotStored',
      severity: 'critical',
      // What is only in the memory of a process is lost when it ends: nothing to wait for.
      expr: `round(sum by (${by}) (increase(${series(config, 'deadLetters', [`${label('event')}="not_stored"`])}[${range('10m')}]))) > 0`,
      keepFiringFor: '5m',
      summary: `Dead letters of queue ${where} are not stored.`,
      description:
        'The store did not take {{ $value | humanize }} in the last 10 minutes. They are in the memory of their processes and on their standard error, and nowhere else.',
      dashboard: protection(config),
    }),
    alert(config, {
      name: 'DeadLettersGrowing',
      severity: 'warning',
      expr: `max by (${by}) (min_over_time(${depth}[${range('15m')}])) > 0 and max by (${by}) (delta(${depth}[${range('15m')}])) > 0`,
      for: '5m',
      summary: `Dead letters pile up in queue ${where}.`,
      description: `There were never fewer than {{ $value | humanize }} in the last 15 minutes, and there are more now. What is in there has not been done.`,
      dashboard: protection(config),
    }),
    alert(config, {
      name: 'DeadLetterOldestTooOld',
      severity: 'warning',
      expr: `max by (${by}) (min_over_time(${series(config, 'deadLetterOldestAge')}[${range('5m')}])) > ${seconds(deadLetterAge) / timeScale}`,
      for: '5m',
      summary: `A dead letter in queue ${where} is older than ${deadLetterAge}.`,
      description: `The oldest has been there for {{ $value | humanizeDuration }}. It will be dropped once it is older than the retention.`,
      dashboard: protection(config),
    }),
    alert(config, {
      name: 'DeadLettersQuarantined',
      severity: 'warning',
      // They count neither as waiting nor as growing: without this, the last that is heard of them is that they are gone.
      expr: `max by (${by}) (min_over_time(${series(config, 'deadLetterQuarantined')}[${range('5m')}])) > 0`,
      for: '5m',
      summary: `Dead letters of queue ${where} are put aside.`,
      description:
        '{{ $value | humanize }} of them failed again and again, or cannot be sent as they are. Nobody sends them by itself; they are dropped once they are older than the retention.',
      dashboard: protection(config),
    }),
    alert(config, {
      name: 'DeadLettersEvicted',
      severity: 'critical',
      expr: `round(sum by (${by}) (increase(${series(config, 'deadLetters', [`${label('event')}="evicted"`])}[${range('10m')}]))) > 0`,
      keepFiringFor: '5m',
      summary: `Dead letters of queue ${where} are lost.`,
      description:
        '{{ $value | humanize }} were dropped in the last 10 minutes, too old or too many for the retention. What they held was never done.',
      dashboard: protection(config),
    }),
  ];
}

function protection({ jobLabel }: DashboardsConfig, more: Readonly<Record<string, string>> = {}): DashboardLink {
  return { uid: 'retry-protection', variables: { job: jobLabel, ...more } };
}
