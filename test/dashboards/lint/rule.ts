import { type DashboardJson, type PanelJson, panelsIn, type TargetJson, variablesIn } from './dashboard-json.ts';

/** A rule of Grafana's dashboard linter, by its name there. */
export interface Rule {
  readonly name: string;
  check(dashboard: DashboardJson, labels: ProcessLabels): Finding[];
}

/** The labels that name a service and a process of it; the linter knows `job` and `instance` only. */
export interface ProcessLabels {
  readonly job: string;
  readonly instance: string;
}

/** Something that a rule refuses. */
export interface Finding {
  readonly rule: string;
  readonly dashboard: string;
  readonly panel?: string;
  readonly targetIdx?: number;
  readonly message: string;
}

/** The labels that Prometheus gives, unless it is told otherwise. */
export const PROCESS_LABELS: ProcessLabels = { job: 'job', instance: 'instance' };

/** A rule about a dashboard; `check` gives what it refuses. */
export function dashboardRule(name: string, check: (dashboard: DashboardJson) => string[]): Rule {
  return {
    name,
    check: dashboard => check(dashboard).map(message => ({ rule: name, dashboard: dashboard.title, message })),
  };
}

/** A rule about each panel. */
export function panelRule(name: string, check: (panel: PanelJson, dashboard: DashboardJson) => string[]): Rule {
  return {
    name,
    check: dashboard =>
      panelsIn(dashboard).flatMap(panel =>
        check(panel, dashboard).map(message => ({
          rule: name,
          dashboard: dashboard.title,
          panel: panel.title ?? '',
          message,
        })),
      ),
  };
}

/** What a rule about a query sees of it. */
export interface TargetContext {
  readonly target: TargetJson;
  readonly panel: PanelJson;
  readonly dashboard: DashboardJson;
  readonly labels: ProcessLabels;
}

/** A rule about each query of each panel. */
export function targetRule(name: string, check: (context: TargetContext) => string[]): Rule {
  return {
    name,
    check: (dashboard, labels) =>
      panelsIn(dashboard).flatMap(panel =>
        (panel.targets ?? []).flatMap((target, targetIdx) =>
          check({ target, panel, dashboard, labels }).map(message => ({
            rule: name,
            dashboard: dashboard.title,
            panel: panel.title ?? '',
            targetIdx,
            message,
          })),
        ),
      ),
  };
}

/** Whether Prometheus is the first data source: the linter reads queries as PromQL only then. */
export function asksPrometheus(dashboard: DashboardJson): boolean {
  return variablesIn(dashboard).find(({ type }) => type === 'datasource')?.query === 'prometheus';
}
