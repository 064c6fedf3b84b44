import type { AlertName } from './alert-names.ts';
import type { DashboardsConfig, Severity } from './config.ts';
import { scaled } from './duration.ts';
import type { AlertRule } from './rule-file.ts';

/** What makes an alert, before the configuration has put its part in. */
export interface AlertTerms {
  readonly name: AlertName;
  readonly severity: Severity;
  readonly expr: string;
  /** How long it has to last, such as `5m`. Default: it fires at once. */
  readonly for?: string;
  /** How long it goes on after the condition has passed, so that one good minute does not end it. */
  readonly keepFiringFor?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** One sentence: what is wrong, and where. */
  readonly summary: string;
  /** The value, and what it means for whom. */
  readonly description: string;
  readonly dashboard: DashboardLink;
}

/** The dashboard that an alert leads to, and which of its variables it sets from its labels. */
export interface DashboardLink {
  readonly uid: 'retry-overview' | 'retry-operation' | 'retry-protection';
  /** Labels of the alert by the variable that they set. */
  readonly variables: Readonly<Record<string, string>>;
}

/** An alert as Prometheus reads it. */
export function alert(config: DashboardsConfig, terms: AlertTerms): AlertRule {
  const { name, severity, expr, keepFiringFor, labels, summary, description, dashboard } = terms;
  const duration = (text: string): string => scaled(text, config.timeScale);
  return {
    alert: name,
    expr,
    ...(terms.for === undefined ? undefined : { for: duration(terms.for) }),
    ...(keepFiringFor === undefined ? undefined : { keep_firing_for: duration(keepFiringFor) }),
    labels: { severity: config.severities[severity], ...labels },
    annotations: {
      summary,
      description,
      runbook_url: `${config.runbookBase.replace(/\/$/, '')}/${name}.md`,
      dashboard_url: dashboardUrl(config, dashboard),
    },
  };
}

function dashboardUrl({ grafanaUrl }: DashboardsConfig, { uid, variables }: DashboardLink): string {
  // Prometheus fills in the labels, and writes them as a URL wants them.
  const query = Object.entries(variables).map(([name, from]) => `var-${name}={{ $labels.${from} | urlquery }}`);
  const tail = query.length === 0 ? '' : `?${query.join('&')}`;
  return `${grafanaUrl.replace(/\/$/, '')}/d/${uid}${tail}`;
}
