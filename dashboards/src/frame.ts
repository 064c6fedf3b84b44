import {
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
import { annotations } from './annotations.ts';
import type { DashboardsConfig } from './config.ts';
import { layOut, type Row } from './layout.ts';
import { type DashboardUid, runbookFolder } from './links.ts';
import { SOURCES } from './panel.ts';
import { inJob, inProcess } from './selectors.ts';
import { label, series } from './series.ts';

/** What tells one dashboard from the others. */
export interface DashboardSpec {
  readonly uid: DashboardUid;
  readonly title: string;
  readonly description: string;
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
      choice('job', 'Job', values(config.jobLabel, series(config, 'info'))),
      choice('instance', 'Instance', values(config.instanceLabel, series(config, 'info', [inJob(config)]))),
      choice('operation', 'Operation', values(label('operation'), series(config, 'calls', inProcess(config)))),
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
        .url(runbookFolder(config))
        .targetBlank(true),
    )
    .annotations(annotations(config))
    .build();
  return {
    ...built,
    links: (built.links ?? []).map(inSight),
    annotations: { list: (built.annotations.list ?? []).map(inSight) },
    panels: layOut(spec.rows),
  };
}

/** The SDK would put links and switches of annotations into a menu, where nobody looks for them. */
function inSight<T extends { readonly placement?: unknown }>({ placement: _menu, ...shown }: T): Omit<T, 'placement'> {
  return shown;
}

/** A variable for the values of a label, several or all at a time. */
function choice(name: string, title: string, query: string): QueryVariableBuilder {
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

function values(name: string, selector: string): string {
  return `label_values(${selector}, ${name})`;
}

function source(type: 'prometheus' | 'tempo' | 'loki', title: string): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder(`${type}_datasource`).type(type).label(`${title} data source`);
}
