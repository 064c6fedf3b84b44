import type { DashboardJson, PanelJson, TargetJson, VariableJson } from './dashboard-json.ts';

/** A dashboard that a rule has to refuse. */
export interface Broken {
  readonly rule: string;
  readonly what: string;
  readonly dashboard: DashboardJson;
}

const PROMETHEUS = { type: 'prometheus', uid: '$prometheus_datasource' };
const LOKI = { type: 'loki', uid: '$loki_datasource' };
const GOOD = 'sum(rate(a_total{job=~"$job", instance=~"$instance"}[$__rate_interval]))';

const prometheus: VariableJson = {
  name: 'prometheus_datasource',
  type: 'datasource',
  query: 'prometheus',
  label: 'Prometheus data source',
};
const job: VariableJson = {
  name: 'job',
  type: 'query',
  label: 'Job',
  query: { query: 'label_values(a, job)' },
  datasource: PROMETHEUS,
  multi: true,
  allValue: '.+',
  refresh: 2,
};
const instance: VariableJson = { ...job, name: 'instance', label: 'Instance' };
const panel: PanelJson = {
  id: 1,
  type: 'timeseries',
  title: 'A title',
  description: 'A description.',
  datasource: PROMETHEUS,
  targets: [{ refId: 'A', expr: GOOD, datasource: PROMETHEUS }],
  fieldConfig: { defaults: { unit: 'short' } },
};

/** A small dashboard that no rule refuses. */
export const SOUND: DashboardJson = withVariables([prometheus, job, instance]);

/** What each rule has to refuse. A rule that checks nothing is noticed by these. */
export const BROKEN: readonly Broken[] = [
  broken('template-datasource-rule', 'no data source to choose', withVariables([job, instance])),
  broken('template-datasource-rule', 'a data source of another name', withSource({ name: 'DS_PROMETHEUS' })),
  broken('template-datasource-rule', 'a data source of another label', withSource({ label: 'Prometheus' })),
  broken(
    'template-datasource-rule',
    'two data sources, one without its kind in its name',
    withVariables([{ ...prometheus, name: 'datasource', label: 'Data source' }, prometheus, job, instance]),
  ),
  ...[job, instance].flatMap(variable => brokenChoices(variable)),
  broken('template-label-promql-rule', 'a selector that does not end', withQuery('label_values(a{job="b", instance)')),
  broken('template-label-promql-rule', 'an unknown function', withQuery('labels(a, job)')),
  broken('template-label-promql-rule', 'a label that is none', withQuery('label_values(a, job=)')),
  broken('template-on-time-change-reload-rule', 'values from when it was opened', withJob({ refresh: 1 })),
  broken('panel-datasource-rule', 'a data source of one installation', withPanel({ datasource: { uid: 'P1809F7CD' } })),
  broken('panel-datasource-rule', 'no data source', withPanel({ datasource: {} })),
  broken('panel-title-description-rule', 'no title', withPanel({ title: '' })),
  broken('panel-title-description-rule', 'no description', withPanel({ description: '' })),
  broken('panel-units-rule', 'no unit', withPanel({ fieldConfig: { defaults: {} } })),
  broken('panel-units-rule', 'a unit that is none', withPanel({ fieldConfig: { defaults: { unit: 'seconds' } } })),
  broken('panel-no-targets-rule', 'no queries', withPanel({ targets: [] })),
  broken('uneditable-dashboard', 'changes in a browser', { ...SOUND, editable: true }),
  broken('target-logql-rule', 'no stream', withLogs('| operation="a"')),
  broken('target-logql-rule', 'a matcher without quotes', withLogs('{service_name=a}')),
  broken('target-logql-rule', 'matchers that match no label at all', withLogs('{service_name=~".*"}')),
  broken('target-logql-rule', 'a filter that does not end', withLogs('{service_name="a"} | operation=')),
  broken('target-logql-auto-rule', 'a fixed range', withLogs('sum by (level) (rate({service_name="a"}[5m]))')),
  broken('target-promql-rule', 'a bracket too few', withExpr(`${GOOD}/ (`)),
  broken('target-promql-rule', 'nothing', withExpr('')),
  broken('target-rate-interval-rule', 'a rate over five minutes', withExpr(GOOD.replace('$__rate_interval', '5m'))),
  broken('target-rate-interval-rule', 'a rate over a step', withExpr(GOOD.replace('$__rate_interval', '$__interval'))),
  ...['job', 'instance'].flatMap(label => [
    broken(`target-${label}-rule`, `no ${label}`, withExpr(GOOD.replace(`${label}=~"$${label}"`, 'a="b"'))),
    broken(`target-${label}-rule`, `one ${label} only`, withExpr(GOOD.replace(`${label}=~`, `${label}=`))),
    broken(
      `target-${label}-rule`,
      `no ${label} in a second selector`,
      withExpr(`${GOOD} / ${GOOD.replace(`${label}=~"$${label}"`, 'a="b"')}`),
    ),
  ]),
  broken('target-counter-agg-rule', 'a counter as it stands', withExpr('a_total{job=~"$job", instance=~"$instance"}')),
  broken(
    'target-counter-agg-rule',
    'the largest value of a counter',
    withExpr('max_over_time(a_total{job=~"$job", instance=~"$instance"}[1h])'),
  ),
];

function brokenChoices(variable: VariableJson): Broken[] {
  const { name } = variable;
  const changed = (change: Partial<VariableJson>): DashboardJson =>
    withVariables([prometheus, ...[job, instance].map(v => (v === variable ? { ...v, ...change } : v))]);
  return [
    broken(`template-${name}-rule`, `no ${name} to choose`, changed({ name: 'other' })),
    broken(`template-${name}-rule`, `one ${name} at a time`, changed({ multi: false })),
    broken(`template-${name}-rule`, 'another word for all', changed({ allValue: '.*' })),
    broken(`template-${name}-rule`, 'another label', changed({ label: name })),
    broken(`template-${name}-rule`, 'a list that is written down', changed({ type: 'custom' })),
    broken(`template-${name}-rule`, 'a data source of its own', changed({ datasource: { uid: 'P1809F7CD' } })),
  ];
}

function broken(rule: string, what: string, dashboard: DashboardJson): Broken {
  return { rule, what, dashboard };
}

function withVariables(list: readonly VariableJson[]): DashboardJson {
  return { title: 'A dashboard', editable: false, templating: { list }, panels: [panel] };
}

function withSource(change: Partial<VariableJson>): DashboardJson {
  return withVariables([{ ...prometheus, ...change }, job, instance]);
}

function withJob(change: Partial<VariableJson>): DashboardJson {
  return withVariables([prometheus, { ...job, ...change }, instance]);
}

function withQuery(query: string): DashboardJson {
  return withJob({ query: { query } });
}

function withPanel(change: Partial<PanelJson>): DashboardJson {
  return { ...SOUND, panels: [{ ...panel, ...change }] };
}

function withTarget(target: TargetJson): DashboardJson {
  return withPanel({ targets: [target] });
}

function withExpr(expr: string): DashboardJson {
  return withTarget({ refId: 'A', expr, datasource: PROMETHEUS });
}

/** In a panel of log lines, as those of other kinds are read as PromQL. */
function withLogs(expr: string): DashboardJson {
  return withPanel({ type: 'logs', targets: [{ refId: 'A', expr, datasource: LOKI }] });
}
