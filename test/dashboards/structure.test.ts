import { LABEL_VALUES } from '../../instrumentation/names.ts';
import { committed, type DashboardJson, type PanelJson, panelsIn, variablesIn } from './lint/dashboard-json.ts';

const COLUMNS = 24;

/** Stats whose number is neither good nor bad by itself. */
const WITHOUT_THRESHOLDS: Readonly<Record<string, string>> = {
  Calls: 'how many calls are right depends on the service and the hour',
  'Calls saved': 'many saved calls are as much a good sign of retries as a bad one of the dependency',
  'Time that callers waited': 'it grows with the time that is shown; its share, beside it, has thresholds',
};

/** Words of descriptions that say what to do. */
const ADVICE =
  /\b(ask|compare|cure|fail faster|find|follow|give|leave|let|look|lower|make|mark|name|open|plan|put|redrive|repair|search|see|send less|turn)\b/i;

const dashboards = committed();
const panels = dashboards.flatMap(panelsIn);
const ofType = (...types: string[]): PanelJson[] => panels.filter(({ type }) => types.includes(type));

describe.each(dashboards)('$title', dashboard => {
  const all = panelsIn(dashboard);

  it('is the file of a schema that every Grafana takes, and stays as it was provisioned', () => {
    expect(dashboard).toMatchObject({ schemaVersion: 42, editable: false, graphTooltip: 1, tags: ['retry'] });
    expect(dashboard.uid).toBe(`retry-${dashboard.title.replace('Retry / ', '').toLowerCase()}`);
    expect(dashboard.description).toMatch(/\?$/);
  });

  it('has panels and rows with ids of their own, and titles of their own', () => {
    const ids = (dashboard.panels ?? []).map(({ id = 0 }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(Math.min(...ids)).toBeGreaterThan(0);
    const titles = all.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
  });

  it('has no panel over another one, or beside the 24 columns', () => {
    const taken = new Map<string, string>();
    for (const { title = '', gridPos } of dashboard.panels ?? []) {
      const { x, y, w, h } = gridPos ?? { x: 0, y: 0, w: 0, h: 0 };
      expect({ title, fits: w > 0 && h > 0 && x >= 0 && y >= 0 && x + w <= COLUMNS }).toEqual({ title, fits: true });
      for (let column = x; column < x + w; column++) {
        for (let line = y; line < y + h; line++) {
          expect([title, taken.get(`${column} ${line}`)]).toEqual([title, undefined]);
          taken.set(`${column} ${line}`, title);
        }
      }
    }
  });

  it('leaves no gap in a line of panels', () => {
    const lines = Map.groupBy(dashboard.panels ?? [], ({ gridPos }) => gridPos?.y);
    for (const line of lines.values()) {
      const width = line.reduce((sum, { gridPos }) => sum + (gridPos?.w ?? 0), 0);
      expect([line.map(({ title }) => title), width]).toEqual([line.map(({ title }) => title), COLUMNS]);
      expect(new Set(line.map(({ gridPos }) => gridPos?.h)).size).toBe(1);
    }
  });

  it('uses only variables that it has, and all of them', () => {
    const own = variablesIn(dashboard).map(({ name }) => name);
    const used = [...JSON.stringify(dashboard).matchAll(/\$\{?([a-z]\w*)/g)].map(([, name = '']) => name);
    expect([...new Set(used)].sort()).toEqual([...own].sort());
  });
});

describe.each(panels)('the panel $title', panel => {
  const { description = '', fieldConfig, targets = [], datasource } = panel;

  it('says in sentences what it shows, and what to do about it', () => {
    expect(description).toMatch(/^[A-Za-z].*[.:] .*\.$/);
    expect(description.length).toBeLessThan(300);
    expect(description).toMatch(ADVICE);
  });

  it('has a unit, and a word for when there is nothing to show', () => {
    expect(fieldConfig?.defaults?.unit).toMatch(/^\w+$/);
    expect(fieldConfig?.defaults?.noValue).toMatch(/^\w.{3,}/);
  });

  it('asks its own data source, by queries A, B and so on', () => {
    expect(targets.map(({ refId }) => refId)).toEqual(targets.map((_, i) => String.fromCharCode(65 + i)));
    expect(targets.length).toBeGreaterThan(0);
    for (const target of targets) expect(target.datasource).toEqual(datasource);
  });

  it('has thresholds from the lowest to the highest, in colours that say what they mean', () => {
    const { steps } = fieldConfig?.defaults?.thresholds ?? { steps: [] };
    if (steps.length === 0) return expect(panel.type === 'stat').toBe((panel.title ?? '') in WITHOUT_THRESHOLDS);
    const [lowest, ...values] = steps.map(({ value }) => value);
    expect(lowest).toBeNull();
    expect(values.length).toBeGreaterThan(0);
    expect(values).toEqual([...new Set(values)].sort((a, b) => Number(a) - Number(b)));
    const colours = steps.map(({ color }) => color);
    const fromGood = ['green', 'orange', 'red'].filter(colour => colours.includes(colour));
    expect([fromGood, fromGood.toReversed()]).toContainEqual(colours);
  });
});

it.each(Object.entries(WITHOUT_THRESHOLDS))('has no thresholds for %s, since %s', title => {
  expect(ofType('stat').filter(panel => panel.title === title)).toHaveLength(1);
});

it.each(ofType('timeseries'))('shows the lines of $title with their latest and highest values', ({ options }) => {
  expect(options?.legend).toMatchObject({ showLegend: true, displayMode: 'table', calcs: ['lastNotNull', 'max'] });
  expect(options?.tooltip).toMatchObject({ mode: 'multi', sort: 'desc' });
});

it.each(ofType('timeseries', 'heatmap', 'state-timeline'))('asks for the course of $title, by name', panel => {
  for (const { range, instant, legendFormat } of panel.targets ?? []) {
    expect({ range, instant }).toEqual({ range: true, instant: false });
    expect(legendFormat).toMatch(/\S/);
  }
});

it.each(ofType('heatmap'))('lets Grafana read the buckets of $title, with the unit at their axis', panel => {
  expect(panel.options).toMatchObject({ calculate: false, color: { mode: 'scheme' } });
  expect(panel.options?.yAxis?.unit).toBe(panel.fieldConfig?.defaults?.unit);
  expect(panel.targets).toMatchObject([{ format: 'heatmap', legendFormat: '{{le}}' }]);
});

it.each(ofType('state-timeline'))('gives each state in $title its name and colour', ({ fieldConfig }) => {
  const [{ options = {} } = {}] = fieldConfig?.defaults?.mappings ?? [];
  const states = Object.values(options);
  expect(Object.keys(options)).toEqual(['0', '1', '2', '3']);
  const names = states.map(({ text }) => text.replace(' ', '_'));
  expect([...names].sort()).toEqual([...LABEL_VALUES.breakerState].sort());
  expect(new Set(states.map(({ color }) => color)).size).toBe(states.length);
});

const byOutcome = panels.filter(({ targets = [] }) => targets.some(t => t.legendFormat === '{{outcome}}'));
it.each(byOutcome)('gives each outcome in $title a colour of its own', ({ fieldConfig }) => {
  const coloured = (fieldConfig?.overrides ?? []).filter(({ matcher }) => matcher.id === 'byName');
  expect(coloured.map(({ matcher }) => matcher.options).sort()).toEqual([...LABEL_VALUES.outcome].sort());
  const colours = coloured.flatMap(({ properties }) => properties.map(({ value }) => JSON.stringify(value)));
  expect(new Set(colours).size).toBe(LABEL_VALUES.outcome.length);
});

const limits = panels.filter(({ targets = [] }) => targets.some(t => /objective|^up$/.test(t.legendFormat ?? '')));
it.each(limits)('draws what $title is compared with as a dashed line', ({ targets = [], fieldConfig }) => {
  const compared = targets.filter(({ legendFormat = '' }) => /objective|^up$/.test(legendFormat));
  const dashed = (fieldConfig?.overrides ?? []).filter(({ properties }) =>
    properties.some(({ id }) => id === 'custom.lineStyle'),
  );
  expect(dashed.map(({ matcher }) => matcher)).toEqual(
    compared.map(({ refId }) => ({ id: 'byFrameRefID', options: refId })),
  );
});

const tables = ofType('table').filter(({ datasource }) => datasource?.type === 'prometheus');
it.each(tables)('makes one table of the queries of $title, and says something in every cell', panel => {
  for (const { format, instant, range } of panel.targets ?? []) {
    expect({ format, instant, range }).toEqual({ format: 'table', instant: true, range: false });
  }
  expect(panel.transformations?.map(({ id }) => id)).toEqual(['merge', 'filterFieldsByName', 'organize']);
  const columns = columnsOf(panel);
  const overrides = panel.fieldConfig?.overrides ?? [];
  expect(overrides.map(({ matcher }) => matcher)).toEqual(columns.map(options => ({ id: 'byName', options })));
  for (const { properties } of overrides) expect(properties).toContainEqual({ id: 'noValue', value: '–' });
  for (const { displayName } of panel.options?.sortBy ?? []) expect(columns).toContain(displayName);
});

it('asks Tempo for traces, and Loki for lines of what is chosen', () => {
  const [traces] = panels.filter(({ datasource }) => datasource?.type === 'tempo');
  expect(traces?.targets).toMatchObject([{ queryType: 'traceql', tableType: 'traces' }]);
  expect(traces?.targets?.[0]?.query).toBe(
    '{span.retry.operation=~"$operation" && (span.retry.attempts>1 || span.retry.attempt>1)}',
  );
  const [lines] = panels.filter(({ datasource }) => datasource?.type === 'loki');
  expect(lines?.targets).toMatchObject([{ queryType: 'range' }]);
  expect(lines?.targets?.[0]?.expr).toBe(
    '{service_name=~".+"} | operation=~"$operation" | attempt!="" or attempts!="" or letter_id!=""',
  );
});

it.each<[string, DashboardJson['title'], readonly string[]]>([
  ['are my calls fine', 'Retry / Overview', ['Calls', 'Success', 'Time of a call', 'Firing alerts', 'Operations']],
  ['do retries help', 'Retry / Overview', ['Recovered by retries', 'Attempts per call', 'Failed attempts by error']],
  [
    'what retries bought and cost',
    'Retry / Overview',
    ['Calls saved', 'Time that callers waited', 'Extra load', 'Share of time spent waiting'],
  ],
  [
    'why is this one retrying',
    'Retry / Operation',
    ['Attempts that calls took', 'Share of each error', 'Delay before a retry', 'Traces with retries', 'Log lines'],
  ],
  [
    'what guards us',
    'Retry / Protection',
    ['Burn rate', 'Left of the month', 'Time until it is used up', 'Tokens left', 'State of each circuit'],
  ],
  [
    'what is lost',
    'Retry / Protection',
    ['Attempts refused by circuits', 'Dead letters in each queue', 'Redrives that succeed', 'Processes that report'],
  ],
])('answers "%s?" on %s', (_question, title, answers) => {
  const titles = dashboards.filter(dashboard => dashboard.title === title).flatMap(panelsIn);
  expect(titles.map(panel => panel.title)).toEqual(expect.arrayContaining([...answers]));
});

/** The titles of the columns of a table. */
function columnsOf({ transformations = [] }: PanelJson): string[] {
  const organize = transformations.find(({ id }) => id === 'organize');
  return Object.values((organize?.options.renameByName ?? {}) as Record<string, string>);
}
