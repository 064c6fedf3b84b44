import { alert, type DashboardLink } from './alert.ts';
import type { DashboardsConfig } from './config.ts';
import { scaled } from './duration.ts';
import type { AlertRule } from './rule-file.ts';
import { label, RECORDED, series } from './series.ts';

/** What goes wrong with the metrics themselves: without them every other alert is silent. */
export function telemetryAlerts(config: DashboardsConfig): AlertRule[] {
  const { jobLabel, instanceLabel, selector } = config;
  const range = (text: string): string => scaled(text, config.timeScale);
  const info = series(config, 'info');
  const faults = series(config, 'telemetryErrors');
  const up = selector === '' ? 'up' : `up{${selector}}`;
  const overview: DashboardLink = { uid: 'retry-overview', variables: { job: jobLabel } };
  const protection: DashboardLink = { uid: 'retry-protection', variables: { job: jobLabel } };
  const bySource = `${jobLabel}, ${label('source')}`;
  return [
    alert(config, {
      name: 'RetryMetricsMissing',
      severity: 'warning',
      // A rule cannot know which jobs there are; those that had the metrics a day ago should have them now.
      expr: `(${up} == 1) unless on (${jobLabel}, ${instanceLabel}) ${info} and on (${jobLabel}) count by (${jobLabel}) (last_over_time(${info}[${range('1d')}]))`,
      for: '10m',
      summary: `{{ $labels.${instanceLabel} }} of {{ $labels.${jobLabel} }} is up, but shows no retry metrics.`,
      description:
        'Its job showed them within the last day. Until they are back, nobody is told of retries in this process.',
      dashboard: overview,
    }),
    alert(config, {
      name: 'RetryOperationSilent',
      severity: 'info',
      expr: `(${RECORDED.calls('5m')} offset ${range('1h')} > ${config.minCallRate}) unless (${RECORDED.calls('5m')} > 0)`,
      for: '15m',
      summary: `Operation {{ $labels.${label('operation')} }} of {{ $labels.${jobLabel} }} makes no calls any more.`,
      description: 'It made {{ $value | printf "%.2f" }} calls a second an hour ago, and makes none now.',
      dashboard: { uid: 'retry-operation', variables: { job: jobLabel, operation: label('operation') } },
    }),
    alert(config, {
      name: 'RetryTelemetryErrors',
      severity: 'warning',
      // What fails as the process starts was counted before the first scrape, and never increases.
      expr: `round(sum by (${bySource}) (increase(${faults}[${range('15m')}]))) > 0 or sum by (${bySource}) (last_over_time(${faults}[${range('5m')}]) unless last_over_time(${faults}[${range('15m')}] offset ${range('15m')})) > 0`,
      for: '5m',
      summary: `Code around the retries of {{ $labels.${jobLabel} }} fails: {{ $labels.${label('source')} }}.`,
      description: `Faults in the last 15 minutes: {{ $value | humanize }}. They were kept from the calls, but what the {{ $labels.${label('source')} }} should have done is missing.`,
      dashboard: protection,
    }),
    alert(config, {
      name: 'RetryMetricsOverflow',
      severity: 'warning',
      // Not its increase: a policy that is made once is counted once, and its calls are hidden until the process ends.
      expr: `sum by (${bySource}) (max_over_time(${series(config, 'overflow')}[${range('5m')}])) > 0`,
      for: '5m',
      summary: `The retry metrics of {{ $labels.${jobLabel} }} have no room for each {{ $labels.${label('source')} }}.`,
      description:
        'Records since the processes started that are not shown by themselves: {{ $value | humanize }}. Dashboards and alerts do not see what is in there.',
      dashboard: protection,
    }),
  ];
}
