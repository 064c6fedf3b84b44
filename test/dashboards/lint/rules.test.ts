import { buildFiles } from '../../../dashboards/src/build.ts';
import { type DashboardsOptions, resolveConfig } from '../../../dashboards/src/config.ts';
import { committed, type DashboardJson } from './dashboard-json.ts';
import { exceptions, exclusions, excuses } from './exceptions.ts';
import { PROCESS_LABELS, type ProcessLabels } from './rule.ts';
import { lint, RULES } from './rules.ts';

const dashboards = committed();
const excused = exceptions();

it('knows the 17 rules of the dashboard linter', () => {
  expect(RULES.map(({ name }) => name).sort()).toEqual([
    'panel-datasource-rule',
    'panel-no-targets-rule',
    'panel-title-description-rule',
    'panel-units-rule',
    'target-counter-agg-rule',
    'target-instance-rule',
    'target-job-rule',
    'target-logql-auto-rule',
    'target-logql-rule',
    'target-promql-rule',
    'target-rate-interval-rule',
    'template-datasource-rule',
    'template-instance-rule',
    'template-job-rule',
    'template-label-promql-rule',
    'template-on-time-change-reload-rule',
    'uneditable-dashboard',
  ]);
});

describe.each(RULES)('$name', rule => {
  it.each(dashboards)('refuses nothing in $title', dashboard => {
    const findings = rule.check(dashboard, PROCESS_LABELS);
    expect(findings.filter(finding => !excused.some(exception => excuses(exception, finding)))).toEqual([]);
  });
});

it('makes exceptions for single queries only, with a reason', () => {
  for (const [rule, exclusion] of Object.entries(exclusions())) {
    expect(RULES.map(({ name }) => name)).toContain(rule);
    expect(exclusion?.reason).toMatch(/^[A-Z].{20,}\.$/);
    expect(exclusion?.entries).not.toHaveLength(0);
    for (const entry of exclusion?.entries ?? []) {
      expect(Object.keys(entry).sort()).toEqual(['dashboard', 'panel', 'targetIdx']);
    }
  }
});

it.each(excused)('needs the exception from $rule for $panel, query $targetIdx', exception => {
  expect(dashboards.flatMap(dashboard => lint(dashboard)).some(finding => excuses(exception, finding))).toBe(true);
});

it.each<[string, DashboardsOptions, ProcessLabels]>([
  ['a selector', { selector: 'team="shop", env!~"test|dev"' }, PROCESS_LABELS],
  ['other labels', { jobLabel: 'service', instanceLabel: 'pod' }, { job: 'service', instance: 'pod' }],
  ['an objective of its own', { objective: 0.01 }, PROCESS_LABELS],
  ['a time scale', { timeScale: 60 }, PROCESS_LABELS],
])('refuses no more where there is %s', (_what, options, labels) => {
  const built = buildFiles(resolveConfig(options)).filter(({ path }) => path.startsWith('grafana/'));
  expect(built).toHaveLength(3);
  const findings = built.flatMap(({ text }) => lint(JSON.parse(text) as DashboardJson, labels));
  expect(findings.filter(finding => !excused.some(exception => excuses(exception, finding)))).toEqual([]);
});
