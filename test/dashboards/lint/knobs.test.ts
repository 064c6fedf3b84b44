import { buildFiles } from '../../../dashboards/src/build.ts';
import { type DashboardsOptions, DEFAULTS, resolveConfig } from '../../../dashboards/src/config.ts';
import { type DashboardJson, type PanelJson, panelsIn } from './dashboard-json.ts';
import { selectorsOf } from './promql.ts';

it.each<[string, DashboardsOptions, number]>([
  ['Attempts per call', { stormAmplification: 1.5 }, 1.5],
  ['Recovered by retries', { minRecoveredRatio: 0.4 }, 0.4],
  ['Least budget left', { tokensLowRatio: 0.6 }, 0.6],
  ['Tokens left', { tokensLowRatio: 0.6 }, 0.6],
  ['Share of time spent waiting', { delayShare: 0.3 }, 0.3],
  ['Age of the oldest dead letter', { deadLetterAge: '2d' }, 172_800],
  ['Burn rate', { windows: [{ severity: 'warning', long: '6h', short: '30m', factor: 6, for: '5m' }] }, 6],
])('turns %s red where its alert fires', (title, options, threshold) => {
  const panel = panelsOf(options).find(candidate => candidate.title === title);
  expect((panel?.fieldConfig?.defaults?.thresholds?.steps ?? []).map(({ value }) => value)).toContain(threshold);
});

it.each<[string, DashboardsOptions]>([
  ['the least', { stormAmplification: 1.01, minRecoveredRatio: 0.001, tokensLowRatio: 0.001, delayShare: 0.001 }],
  ['the most', { stormAmplification: 2.9, minRecoveredRatio: 1, tokensLowRatio: 1, delayShare: 0.99 }],
  [
    'one slow window',
    { windows: [{ severity: 'warning', long: '3d', short: '6h', factor: 0.5, for: '3h' }], timeScale: 1000 },
  ],
])('has its thresholds in order, and at most once each, with %s', (_what, options) => {
  for (const { title, fieldConfig } of panelsOf(options)) {
    const [, ...values] = (fieldConfig?.defaults?.thresholds?.steps ?? []).map(({ value }) => Number(value));
    expect([title, values]).toEqual([title, [...new Set(values)].sort((a, b) => a - b)]);
  }
});

it('compares with the objective that is given, and asks no process for one', () => {
  const queries = exprsOf({ objective: 0.01 });
  expect(queries).toContain('vector(0.01)');
  expect(queries.filter(query => query.includes('/ 0.01')).length).toBeGreaterThan(3);
  expect(queries.filter(query => query.includes('objective'))).toEqual([]);
});

it('puts the selector into every selector of a scraped series', () => {
  const selectors = exprsOf({ selector: 'team="shop"' }).flatMap(selectorsOf);
  const without = selectors.filter(
    ({ matchers }) => !matchers.some(({ label, value }) => label === 'team' && value === 'shop'),
  );
  // What rules make has lost the label.
  expect(without.map(({ name = '' }) => name).filter(name => name !== 'ALERTS' && !name.includes(':'))).toEqual([]);
  expect(selectors.length - without.length).toBeGreaterThan(50);
});

it('knows no job and no instance where they have other names', () => {
  const texts = exprsOf({ jobLabel: 'service', instanceLabel: 'pod' });
  expect(texts.filter(text => /\b(?<!\$)(job|instance)\b(?!_operation)/.test(text))).toEqual([]);
  expect(texts.filter(text => text.includes('service=~"$job"')).length).toBeGreaterThan(50);
});

it('leads to the runbooks of a base that is given, with or without a slash', () => {
  for (const runbookBase of ['https://wiki/runbooks', 'https://wiki/runbooks/']) {
    const text = JSON.stringify(dashboardsOf({ runbookBase }));
    expect(text).toContain('"https://wiki/runbooks/RetryStorm.md"');
    expect(text).not.toContain(DEFAULTS.runbookBase);
    expect(text).not.toContain('runbooks//');
  }
});

function dashboardsOf(options: DashboardsOptions): DashboardJson[] {
  const files = buildFiles(resolveConfig(options)).filter(({ path }) => path.startsWith('grafana/'));
  return files.map(({ text }) => JSON.parse(text) as DashboardJson);
}

function panelsOf(options: DashboardsOptions): PanelJson[] {
  return dashboardsOf(options).flatMap(panelsIn);
}

function exprsOf(options: DashboardsOptions): string[] {
  const prometheus = panelsOf(options).filter(({ datasource }) => datasource?.type === 'prometheus');
  return prometheus.flatMap(({ targets = [] }) => targets.map(({ expr = '' }) => expr));
}
