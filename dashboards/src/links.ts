import type { AlertName } from './alert-names.ts';
import type { DashboardsConfig } from './config.ts';
import type { Link } from './panel-spec.ts';

/** The uids of the dashboards. */
export type DashboardUid = 'retry-overview' | 'retry-operation' | 'retry-protection';

/** The runbook of an alert. */
export function runbook(config: DashboardsConfig, alert: AlertName): Link {
  return { title: `Runbook: ${alert}`, url: `${runbookFolder(config)}${alert}.md` };
}

/** Where all runbooks are, with a slash behind it. */
export function runbookFolder({ runbookBase }: DashboardsConfig): string {
  return `${runbookBase.replace(/\/$/, '')}/`;
}

/**
 * Another dashboard, for the same time and processes. `queryparam` writes several values as several, and `All` as what
 * the other dashboard takes for it.
 *
 * @param values values of its other variables, by their name
 */
export function toDashboard(title: string, uid: DashboardUid, values: Readonly<Record<string, string>> = {}): Link {
  const kept = ['prometheus_datasource', 'job', 'instance'].map(name => `\${${name}:queryparam}`);
  const set = Object.entries(values).map(([name, value]) => `var-${name}=${value}`);
  return { title, url: `/d/${uid}?${[...kept, ...set, `\${__url_time_range}`].join('&')}` };
}

/** The value of a column in the row that was clicked; an operation may be a path with a query. */
export function cell(title: string): string {
  return `\${__data.fields.${title}:percentencode}`;
}
