import { ALERTS } from '../../../dashboards/src/alert-names.ts';
import { METRICS } from '../../../instrumentation/names.ts';
import { CATALOGUE, faultsOf } from './catalogue.ts';
import { committed, type PanelJson, panelsIn, queryOf, variablesIn } from './dashboard-json.ts';
import { parsePromql, selectorsOf } from './promql.ts';
import { resultLabels } from './result-labels.ts';

const dashboards = committed();
const panels = dashboards.flatMap(panelsIn);
const targets = dashboards.flatMap(dashboard =>
  panelsIn(dashboard).flatMap(panel =>
    (panel.targets ?? [])
      .filter(({ datasource }) => datasource?.type === 'prometheus')
      .map(({ expr = '', legendFormat = '', refId }) => ({
        where: `${dashboard.title}, ${panel.title}, ${refId}`,
        expr,
        legendFormat,
      })),
  ),
);
const annotations = dashboards.flatMap(dashboard =>
  (dashboard.annotations?.list ?? []).map(({ name, expr = '', titleFormat = '', tagKeys = '' }) => ({
    where: `${dashboard.title}, ${name}`,
    expr,
    titleFormat,
    tagKeys,
  })),
);
const choices = dashboards.flatMap(dashboard =>
  variablesIn(dashboard)
    .filter(({ type }) => type === 'query')
    .map(variable => ({ where: `${dashboard.title}, $${variable.name}`, ...labelChoice(queryOf(variable)) })),
);

it.each([...targets, ...annotations, ...choices])('names metrics, labels and values that there are: $where', query => {
  const selectors = selectorsOf(query.expr);
  // A query of a number of its own has no selector.
  expect(selectors.length > 0 || query.expr.startsWith('vector(')).toBe(true);
  expect(selectors.flatMap(faultsOf)).toEqual([]);
});

it.each(targets)('names its lines by labels that they have: $where', ({ expr, legendFormat }) => {
  const labels = resultLabels(parsePromql(expr));
  expect(placeholders(legendFormat).filter(label => !labels.has(label))).toEqual([]);
});

it.each(annotations)('tells by labels that it has what happened: $where', ({ expr, titleFormat, tagKeys }) => {
  const labels = resultLabels(parsePromql(expr));
  expect(placeholders(titleFormat)).not.toEqual([]);
  const named = [...placeholders(titleFormat), ...tagKeys.split(',').filter(Boolean)];
  expect(named.filter(label => !labels.has(label))).toEqual([]);
});

it.each(choices)('lets choose by a label that there is: $where', ({ expr, label }) => {
  expect([...resultLabels(parsePromql(expr))]).toContain(label);
});

const tables = panels.filter(({ type, datasource }) => type === 'table' && datasource?.type === 'prometheus');
it.each(tables)('makes columns of labels and values that the queries of $title give', panel => {
  const fields = fieldsOf(panel);
  for (const { id, options } of panel.transformations ?? []) {
    const named =
      id === 'organize'
        ? [...Object.keys(options.renameByName ?? {}), ...Object.keys(options.indexByName ?? {})]
        : ((options.include as { names: string[] } | undefined)?.names ?? []);
    expect(named.filter(name => !fields.has(name))).toEqual([]);
  }
});

it.each(Object.values(METRICS).map(({ family }) => family))('shows %s in a panel', family => {
  const shown = targets.flatMap(({ expr }) => selectorsOf(expr)).map(({ name = '' }) => CATALOGUE.get(name)?.family);
  expect(shown).toContain(family);
});

it('counts the series of every family as series of the library', () => {
  const [counted = []] = targets
    .flatMap(({ expr }) => selectorsOf(expr))
    .filter(({ name }) => name === undefined)
    .map(({ matchers }) => matchers.filter(({ label }) => label === '__name__'));
  expect(counted).toHaveLength(2);
  const isCounted = (name: string): boolean =>
    counted.every(({ op, value }) => new RegExp(`^(?:${value})$`).test(name) === (op === '=~'));
  const names = [...CATALOGUE].map(([name, { family }]) => ({ name, isOurs: family !== undefined }));
  expect(names.filter(({ name, isOurs }) => isCounted(name) !== isOurs)).toEqual([]);
});

it('asks for every alert by its name', () => {
  const asked = annotations.filter(({ expr }) => expr.startsWith('ALERTS'));
  expect(asked).toHaveLength(dashboards.length);
  for (const { expr } of asked) {
    const names = selectorsOf(expr).flatMap(({ matchers }) => matchers.filter(({ label }) => label === 'alertname'));
    expect(names.map(({ value }) => value.split('|'))).toEqual([[...ALERTS]]);
  }
});

it.each([
  ['a metric that there is not', 'retry_callz_total{job="a"}', 'there is no retry_callz_total'],
  ['a histogram without its part', 'retry_delay_seconds{job="a"}', 'there is no retry_delay_seconds'],
  ['a label that there is not', 'retry_calls_total{queue="a"}', 'retry_calls_total has no queue'],
  ['a value that there is not', 'retry_calls_total{outcome="sucess"}', 'retry_calls_total has no outcome="sucess"'],
  ['one value of several', 'retry_budget_mode{mode=~"local|remote"}', 'retry_budget_mode has no mode="remote"'],
])('notices %s', (_what, expr, fault) => {
  expect(selectorsOf(expr).flatMap(faultsOf)).toEqual([fault]);
});

it.each([
  ['grouping', 'sum by (queue) (retry_calls_total)'],
  ['matching', 'retry_budget_tokens / on (queue) retry_budget_capacity'],
  ['copying', 'retryscope_info * on (job, instance) group_left (release) target_info'],
  ['a quantile of no buckets', 'histogram_quantile(0.9, sum by (operation) (retry_delay_seconds_bucket))'],
])('notices %s by a label that is not there', (_what, expr) => {
  expect(() => resultLabels(parsePromql(expr))).toThrow(/^no (queue|release|le) among/);
});

it.each([
  ['retry_calls_total', 'job instance operation outcome'],
  ['sum(retry_calls_total)', ''],
  ['sum without (job, instance) (retry_calls_total)', 'operation outcome'],
  ['topk by (job) (1, sum by (job, operation) (retry_calls_total))', 'job operation'],
  ['histogram_quantile(0.9, sum by (le, operation) (rate(retry_delay_seconds_bucket[1m]))) >= 0', 'operation'],
  ['1 - sum by (job) (up) / 2', 'job'],
  ['up / on (job) group_left (version) retryscope_info', 'job instance version'],
  ['up / on (job) retryscope_info', 'job'],
  ['up / ignoring (job) retryscope_info', 'instance'],
  ['label_join(up, "who", "", "job")', 'job instance who'],
  ['vector(1)', ''],
])('knows the labels of %s', (expr, labels) => {
  expect([...resultLabels(parsePromql(expr))].join(' ')).toBe(labels);
});

function placeholders(text: string): string[] {
  return [...text.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, name = '']) => name);
}

function labelChoice(query: string): { expr: string; label: string } {
  const [, expr = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? [];
  return { expr, label };
}

/** The fields that Grafana makes of the queries of a table. */
function fieldsOf({ targets: asked = [] }: PanelJson): Set<string> {
  const valueField = (refId: string): string => (asked.length > 1 ? `Value #${refId}` : 'Value');
  return new Set([
    'Time',
    ...asked.flatMap(({ expr = '', refId = '' }) => [...resultLabels(parsePromql(expr)), valueField(refId)]),
  ]);
}
