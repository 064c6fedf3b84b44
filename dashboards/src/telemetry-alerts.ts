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
  const up = selector === '' ? 'up' : `up{${selector}}`;
  const overview: DashboardLink = { uid: 'retry-overview', variables: { job: jobLabel } };
  const protection: DashboardLink = { uid: 'retry-protection', variables: { job: jobLabel } };
  const bySource = `${jobLabel}, ${label('source')}`;
  return [
    alert(config, {
      name: 'RetryMetricsMissing',
      severity: 'warning',
      // A mixin cannot know which jobs there are; those that had the metrics an hour ago should have them now.
      expr: `(${up} == 1) unless on (${jobLabel}, ${instanceLabel}) ${info} and on (${jobLabel}) count by (${jobLabel}) (${info} offset ${range('1h')})`,
      for: '10m',
      summary: `{{ $labels.${instanceLabel} }} of {{ $labels.${jobLabel} }} is up, but shows no retry metrics.`,
      description:
        'Other processes of the job showed them within the last hour. Until they are back, nobody is told of retries in this process.',
      dashboard: overview,
    }),
    alert(config, {
      name: 'RetryOperationSilent',
      severity: 'info',
      expr: `(${RECORDED.calls('5m')} offset ${range('1h')} > ${config.minCallRate}) unless (${RECORDED.calls('5m')} > 0)`,
      for: '15m',
      summary: `Operation {{ $labels.${label('operation')} }} of {{ $labels.${jobLabel} }} makes no calls any more.`,
      description: 'It made {{ $value | humanize }} calls a second an hour ago, and makes none now.',
      dashboard: { uid: 'retry-operation', variables: { job: jobLabel, operation: label('operation') } },
    }),
    alert(config, {
      name: 'RetryTelemetryErrors',
      severity: 'warning',
      expr: `sum by (${bySource}) (increase(${series(config, 'telemetryErrors')}[${range('15m')}])) > 0`,
      for: '5m',
      summary: `A {{ $labels.${label('source')} }} in {{ $labels.${jobLabel} }} fails while it watches retries.`,
      description:
        '{{ $value | humanize }} faults in 15 minutes. They were kept from the calls, but what they should have shown is missing.',
      dashboard: protection,
    }),
    alert(config, {
      name: 'RetryMetricsOverflow',
      severity: 'warning',
      expr: `sum by (${bySource}) (increase(${series(config, 'overflow')}[${range('15m')}])) > 0`,
      for: '5m',
      summary: `{{ $labels.${jobLabel} }} has more kinds of {{ $labels.${label('source')} }} than the retry metrics tell apart.`,
      description:
        '{{ $value | humanize }} records in 15 minutes went to "other". Dashboards and alerts do not see what is in there.',
      dashboard: protection,
    }),
  ];
}
