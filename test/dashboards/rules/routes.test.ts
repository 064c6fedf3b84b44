import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ALERTS } from '../../../dashboards/src/alert-names.ts';
import { alertmanagerConfig } from '../../../dashboards/src/alertmanager.ts';
import { resolveConfig } from '../../../dashboards/src/config.ts';
import { readScenarios } from './scenarios.ts';
import { runTool, testEachWith } from './tools.ts';

const FILE = join(__dirname, '../../../dashboards/prometheus/alertmanager.yml');
const config = parse(readFileSync(FILE, 'utf8')) as {
  readonly route: { readonly group_by: readonly string[] };
  readonly inhibit_rules: readonly Inhibition[];
};

interface Inhibition {
  readonly source_matchers: readonly string[];
  readonly target_matchers: readonly string[];
  readonly equal: readonly string[];
}

type Labels = Readonly<Record<string, string>>;

/** Alerts as the scenarios have seen them fire: with the labels that Alertmanager gets. */
const fired = readScenarios().flatMap(({ tests }) =>
  tests.flatMap(({ alert_rule_test: checks = [] }) =>
    checks.flatMap(({ alertname, exp_alerts: alerts = [] }) =>
      alerts.map(({ exp_labels: labels }): Labels => ({ ...labels, alertname })),
    ),
  ),
);
const rows = [...new Map(fired.map(alert => [`${alert.alertname}, ${alert.severity}`, alert] as const))];

it('knows the labels of every alert', () => {
  expect([...new Set(fired.map(({ alertname }) => alertname))].sort()).toEqual([...ALERTS].sort());
});

testEachWith('amtool', 'sends %s where its severity belongs', rows, labels => {
  const receiver = labels.severity === 'critical' ? 'page' : 'ticket';
  expect(route(labels, receiver)).toEqual({ status: 0, output: expect.stringMatching(`^${receiver}\n`) });
  const other = receiver === 'page' ? 'ticket' : 'page';
  expect(route(labels, other).status).toBe(1);
});

it('groups by labels that alerts have', () => {
  for (const label of config.route.group_by) expect(fired.some(alert => label in alert)).toBe(true);
});

it.each(config.inhibit_rules)('silences $target_matchers by $source_matchers on labels that both have', rule => {
  const sources = fired.filter(matches(rule.source_matchers));
  const targets = fired.filter(matches(rule.target_matchers));
  // Two alerts that lack a label are taken for equal.
  for (const alerts of [sources, targets]) {
    expect(alerts).not.toEqual([]);
    for (const alert of alerts) expect(Object.keys(alert)).toEqual(expect.arrayContaining([...rule.equal]));
  }
});

it('never silences a page by something that may have another cause', () => {
  const rules = config.inhibit_rules.filter(({ target_matchers: targets }) =>
    fired.some(alert => matches(targets)(alert) && alert.severity === 'critical'),
  );
  expect(rules).toEqual([]);
});

it('goes by the names that were chosen', () => {
  const custom = resolveConfig({ jobLabel: 'service', severities: { critical: 'P1', warning: 'P2' } });
  expect(alertmanagerConfig(custom)).toMatchObject({
    route: { group_by: ['alertname', 'service', 'operation'], routes: [{ matchers: ['severity="P1"'] }] },
    inhibit_rules: [
      { source_matchers: ['alertname="RetryBudgetBurn"', 'severity="P1"'], equal: ['service', 'operation'] },
      { equal: ['service'] },
    ],
  });
});

function route(labels: Labels, receiver: string): { status: number | null; output: string } {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return runTool('amtool', [
    'config',
    'routes',
    'test',
    `--config.file=${FILE}`,
    `--verify.receivers=${receiver}`,
    ...pairs,
  ]);
}

function matches(matchers: readonly string[]): (alert: Labels) => boolean {
  const pairs = matchers.map(matcher => {
    const found = /^(\w+)="(.*)"$/.exec(matcher);
    if (found === null) throw new Error(`the test reads no matcher such as ${matcher}`);
    return [found[1], found[2]] as const;
  });
  return alert => pairs.every(([name, value]) => alert[name ?? ''] === value);
}
