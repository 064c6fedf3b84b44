import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { ALERTS } from './alert-names.ts';
import type { DashboardsConfig } from './config.ts';
import { layOut, type Row } from './layout.ts';
import { SOURCES } from './panel.ts';
import { label, series } from './series.ts';

/** What tells one dashboard from the others. */
export interface DashboardSpec {
  readonly uid: 'retry-overview' | 'retry-operation' | 'retry-protection';
  readonly title: string;
  readonly description: string;
  /** Variables beside those that all dashboards have. */
  readonly variables?: readonly QueryVariableBuilder[];
  readonly rows: readonly Row[];
}

/** Puts around the rows of a dashboard what all dashboards have: variables, links and annotations. */
export function dashboard(config: DashboardsConfig, spec: DashboardSpec): Dashboard {
  const kinds = new Set(spec.rows.flatMap(({ panels }) => panels.map(({ kind }) => kind)));
  const built = new DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(spec.description)
    .tags(['retry'])
    .readonly()
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .variables([
      source('prometheus', 'Prometheus'),
      ...(kinds.has('traces') ? [source('tempo', 'Tempo')] : []),
      ...(kinds.has('logs') ? [source('loki', 'Loki')] : []),
      choice('job', 'Job', values(config, config.jobLabel, [])),
      choice('instance', 'Instance', values(config, config.instanceLabel, [inJob(config)])),
      ...(spec.variables ?? []),
    ])
    .link(
      new DashboardLinkBuilder('Retry dashboards')
        .type(DashboardLinkType.Dashboards)
        .tags(['retry'])
        .includeVars(true)
        .keepTime(true),
    )
    .link(
      new DashboardLinkBuilder('Runbooks')
        .type(DashboardLinkType.Link)
        .icon('doc')
        .url(`${config.runbookBase.replace(/\/$/, '')}/`)
        .targetBlank(true),
    )
    .annotation(
      new AnnotationQueryBuilder()
        .name('Firing alerts')
        .datasource(SOURCES.prometheus)
        .enable(true)
        .iconColor('red')
        .expr(`ALERTS{alertname=~"${ALERTS.join('|')}", alertstate="firing", ${inJob(config)}}`)
        .titleFormat('{{alertname}}')
        .tagKeys(`severity,${label('operation')},${label('breaker')}`),
    )
    .annotation(
      new AnnotationQueryBuilder()
        .name('New versions')
        .datasource(SOURCES.prometheus)
        .enable(true)
        .iconColor('blue')
        // A version that was not there ten minutes ago.
        .expr(
          `count by (${label('version')}) (${series(config, 'info', [inJob(config)])}) unless count by (${label('version')}) (${series(config, 'info', [inJob(config)])} offset 10m)`,
        )
        .titleFormat('retryscope {{version}}'),
    )
    .build();
  return { ...built, panels: layOut(spec.rows) };
}

/** A variable for the values of a label, several or all at a time. */
export function choice(name: string, title: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(title)
    .datasource(SOURCES.prometheus)
    .query({ query, refId: name })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ text: ['All'], value: ['$__all'] });
}

/** The values that a label has on the series of the library. */
export function values(
  config: DashboardsConfig,
  name: string,
  matchers: readonly string[],
  metric: Parameters<typeof series>[1] = 'info',
): string {
  return `label_values(${series(config, metric, matchers)}, ${name})`;
}

/** The matcher for the chosen jobs. */
export function inJob({ jobLabel }: DashboardsConfig): string {
  return `${jobLabel}=~"$job"`;
}

/** The matchers for the chosen jobs and instances. */
export function inProcess(config: DashboardsConfig): string[] {
  return [inJob(config), `${config.instanceLabel}=~"$instance"`];
}

function source(type: 'prometheus' | 'tempo' | 'loki', title: string): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder(`${type}_datasource`).type(type).label(`${title} data source`);
}
