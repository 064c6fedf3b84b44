import { ALERTS } from './alert-names.ts';
import type { DashboardsConfig } from './config.ts';
import { label } from './series.ts';

/** The matcher for the chosen jobs. */
export function inJob({ jobLabel }: DashboardsConfig): string {
  return `${jobLabel}=~"$job"`;
}

/** The matchers for the chosen jobs and instances. */
export function inProcess(config: DashboardsConfig): string[] {
  return [inJob(config), `${config.instanceLabel}=~"$instance"`];
}

/** A selector of a series that Prometheus or OpenTelemetry has beside those of the library. */
export function scraped(
  { selector }: DashboardsConfig,
  name: 'up' | 'scrape_duration_seconds' | 'target_info',
  matchers: readonly string[],
): string {
  return `${name}{${[...(selector === '' ? [] : [selector]), ...matchers].join(', ')}}`;
}

/**
 * A selector of the firing alerts of what is chosen. An alert has the labels of what it is about: one of a budget has
 * no operation, and one of an operation no instance.
 */
export function firing(config: DashboardsConfig): string {
  const matchers = [
    `alertname=~"${ALERTS.join('|')}"`,
    'alertstate="firing"',
    inJob(config),
    `${config.instanceLabel}=~"$instance|"`,
    `${label('operation')}=~"$operation|"`,
  ];
  return `ALERTS{${matchers.join(', ')}}`;
}

/** The labels that say what an alert is about; each alert has at most one of them. */
export function subjects(): string[] {
  return [label('operation'), label('budget'), label('breaker'), label('queue'), label('source')];
}
