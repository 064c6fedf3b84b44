import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ALERTS } from '../../../dashboards/src/alert-names.ts';
import { DEFAULTS } from '../../../dashboards/src/config.ts';
import { committed, type LinkJson, type PanelJson, panelsIn, variablesIn } from './dashboard-json.ts';

const RUNBOOKS = join(__dirname, '../../../dashboards/runbooks');

const dashboards = committed();
const panels = dashboards.flatMap(panelsIn);
const links = panels.flatMap(panel =>
  [...(panel.links ?? []), ...(panel.fieldConfig?.defaults?.links ?? [])].map(link => ({
    where: panel.title ?? '',
    panel,
    link,
    url: link.url ?? '',
  })),
);
const inside = links.filter(({ url }) => url.startsWith('/'));
const outside = links.filter(({ url }) => !url.startsWith('/'));

it.each(dashboards)('leads from $title to the other dashboards and to the runbooks, in sight', dashboard => {
  const [others, runbooks] = dashboard.links ?? [];
  expect(others).toMatchObject({ type: 'dashboards', tags: dashboard.tags, includeVars: true, keepTime: true });
  expect(runbooks).toMatchObject({ type: 'link', url: `${DEFAULTS.runbookBase}/`, targetBlank: true });
  for (const link of dashboard.links ?? []) expect(link).not.toHaveProperty('placement');
});

it.each(dashboards)('marks alerts and releases in the graphs of $title, and lets them be hidden', dashboard => {
  const annotations = dashboard.annotations?.list ?? [];
  expect(annotations.map(({ name }) => name)).toEqual(['Firing alerts', 'New releases', 'New versions of the library']);
  for (const annotation of annotations) {
    expect(annotation.enable).toBe(true);
    expect(annotation).not.toHaveProperty('placement');
  }
  // Alerts of what is chosen, and those that know no operation or instance.
  expect(annotations[0]?.expr).toContain('job=~"$job", instance=~"$instance|", operation=~"$operation|"');
});

it.each(dashboards)('lets every data source of $title be chosen', dashboard => {
  const sources = new Map(
    variablesIn(dashboard)
      .filter(({ type }) => type === 'datasource')
      .map(({ name, query }) => [`$${name}`, query]),
  );
  const asked = [
    ...panelsIn(dashboard).flatMap(panel => [panel.datasource, ...(panel.targets ?? []).map(t => t.datasource)]),
    ...(dashboard.annotations?.list ?? []).map(({ datasource }) => datasource),
    ...variablesIn(dashboard).flatMap(({ type, datasource }) => (type === 'query' ? [datasource] : [])),
  ];
  for (const source of asked) expect(sources.get(source?.uid ?? '')).toBe(source?.type);
  expect(new Set(asked.map(source => source?.uid))).toEqual(new Set(sources.keys()));
});

it.each(inside)('leads from $where to a dashboard that there is, with variables that it has', ({ panel, url }) => {
  const [, uid, query = ''] = /^\/d\/([\w-]+)\?(.+)$/.exec(url) ?? [];
  const target = dashboards.find(dashboard => dashboard.uid === uid);
  expect(target).toBeDefined();
  const variables = target === undefined ? [] : variablesIn(target).map(({ name }) => name);
  for (const part of query.split('&')) {
    const [, kept] = /^\$\{(\w+):queryparam\}$/.exec(part) ?? [];
    const [, set, column] = /^var-(\w+)=\$\{__data\.fields\.(\w+):percentencode\}$/.exec(part) ?? [];
    expect([part, kept ?? set ?? part === '$' + '{__url_time_range}']).not.toEqual([part, false]);
    if (kept !== undefined || set !== undefined) expect(variables).toContain(kept ?? set);
    if (column !== undefined) expect(columnsOf(panel)).toContain(column);
  }
  expect(query).toContain('__url_time_range');
});

it.each(outside)('leads from $where to a runbook that there is: $link.title', ({ panel, link, url }) => {
  expect(link).toMatchObject({ targetBlank: true });
  expect(url.startsWith(`${DEFAULTS.runbookBase}/`)).toBe(true);
  const name = url.slice(DEFAULTS.runbookBase.length + 1);
  const [, column] = /^\$\{__data\.fields\.(\w+):percentencode\}\.md$/.exec(name) ?? [];
  if (column === undefined) expect(existsSync(join(RUNBOOKS, name))).toBe(true);
  else expect(renamed(panel)[column]).toBe('alertname');
});

it.each(ALERTS)('leads from a panel to the runbook of %s', alert => {
  expect(outside.map(({ url }) => url)).toContain(`${DEFAULTS.runbookBase}/${alert}.md`);
});

it('leads from a row of the operations to why that one is retrying', () => {
  const [link]: (LinkJson | undefined)[] = panels
    .filter(({ title }) => title === 'Operations')
    .flatMap(({ fieldConfig }) => fieldConfig?.defaults?.links ?? []);
  expect(link?.url).toMatch(/^\/d\/retry-operation\?.*var-operation=/);
});

function columnsOf(panel: PanelJson): string[] {
  return Object.keys(renamed(panel));
}

/** What each column of a table was called before. */
function renamed({ transformations = [] }: PanelJson): Record<string, string> {
  const names = (transformations.find(({ id }) => id === 'organize')?.options.renameByName ?? {}) as object;
  return Object.fromEntries(Object.entries(names).map(([from, to]) => [String(to), from]));
}
