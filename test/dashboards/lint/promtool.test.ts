import { buildFiles } from '../../../dashboards/src/build.ts';
import { type DashboardsOptions, resolveConfig } from '../../../dashboards/src/config.ts';
import { type DashboardJson, panelsIn } from './dashboard-json.ts';
import { complaintsOf, hasPromtool } from './promtool.ts';

const KNOBS: readonly [string, DashboardsOptions][] = [
  ['as they are', {}],
  ['with a selector', { selector: 'team="shop", env!~"test|dev"' }],
  ['with other labels', { jobLabel: 'service', instanceLabel: 'pod' }],
  ['with an objective of their own', { objective: 0.01 }],
  ['with a time scale', { timeScale: 60 }],
];
const BAD: readonly [string, string][] = [
  ['a rate of what is no range', 'rate(a_total)'],
  ['a sum of a range', 'sum(a_total[$__rate_interval])'],
  ['a quantile of a text', 'histogram_quantile("0.9", a_bucket)'],
  ['labels without brackets', 'sum by job (a)'],
];

if (hasPromtool()) {
  it.each(KNOBS)('takes every query of panels and annotations, %s', (_what, options) => {
    const queries = queriesOf(options);
    expect(queries.length).toBeGreaterThan(60);
    expect(complaintsOf(queries)).toBe('');
  });

  it.each(BAD)('refuses %s', (_what, query) => {
    expect(complaintsOf([query])).toContain('could not parse expression');
  });
} else {
  it('needs promtool', () => {
    const missed = KNOBS.length + BAD.length;
    process.stderr.write(`promtool is missing (Debian package prometheus). Checks skipped: ${missed}\n`);
    expect(hasPromtool()).toBe(false);
  });
}

function queriesOf(options: DashboardsOptions): string[] {
  const built = buildFiles(resolveConfig(options)).filter(({ path }) => path.startsWith('grafana/'));
  return built.flatMap(({ text }) => {
    const dashboard = JSON.parse(text) as DashboardJson;
    const targets = panelsIn(dashboard).flatMap(panel => panel.targets ?? []);
    return [...targets, ...(dashboard.annotations?.list ?? [])].flatMap(({ expr, datasource }) =>
      datasource?.type === 'prometheus' && expr !== undefined ? [expr] : [],
    );
  });
}
