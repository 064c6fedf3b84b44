import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ALERTS } from '../../../dashboards/src/alert-names.ts';
import { seconds } from '../../../dashboards/src/duration.ts';
import type { AlertRule, RecordingRule, RuleFile } from '../../../dashboards/src/rule-file.ts';
import { metricNames } from './metric-names.ts';
import { type FiringAlert, metricOf, readScenarios } from './scenarios.ts';

// What the scenarios hold, for each alert: a new one without them must not pass.
const PROMETHEUS = join(__dirname, '../../../dashboards/prometheus');
const rulesOf = (file: string): (RecordingRule | AlertRule)[] =>
  (parse(readFileSync(join(PROMETHEUS, file), 'utf8')) as RuleFile).groups.flatMap(({ rules }) => rules);
const alerts = rulesOf('retry-alerts.yml') as AlertRule[];
const records = rulesOf('retry-rules.yml') as RecordingRule[];
const files = readScenarios();

/** Within so many evaluations the time to detect has to be known. */
const SHARPNESS = 4;

interface Firing {
  readonly alert: FiringAlert;
  readonly at: number;
  /** The last time before at which it was seen not to fire. */
  readonly silentAt: number;
  /** The first time after at which it was seen not to fire. */
  readonly resolvedAt: number;
  readonly evaluation: number;
}

const rows = alerts.map(rule => {
  const { long } = rule.labels;
  return { title: long === undefined ? rule.alert : `${rule.alert} over ${long}`, rule, firings: firingsOf(rule) };
});

it('knows every alert by its name', () => {
  expect([...new Set(alerts.map(({ alert }) => alert))].sort()).toEqual([...ALERTS].sort());
});

it.each(rows)('sees $title fire, with every label of its rule', ({ rule, firings }) => {
  expect(firings.map(({ alert }) => alert.exp_labels)).toContainEqual(expect.objectContaining(rule.labels));
});

it.each(rows)('knows to a few evaluations when $title fires', ({ firings }) => {
  const gaps = firings.map(({ at, silentAt, evaluation }) => (at - silentAt) / evaluation);
  expect(Math.min(...gaps)).toBeLessThanOrEqual(SHARPNESS);
});

it.each(rows)('sees $title end', ({ firings }) => {
  expect(firings.some(({ resolvedAt }) => Number.isFinite(resolvedAt))).toBe(true);
});

it.each(rows)('holds the texts of $title to the letter', ({ rule, firings }) => {
  expect(firings).not.toEqual([]);
  for (const { alert } of firings) {
    const { summary, description, runbook_url: runbook, dashboard_url: dashboard } = alert.exp_annotations;
    expect(Object.keys(alert.exp_annotations).sort()).toEqual(Object.keys(rule.annotations).sort());
    for (const text of [summary, description]) {
      expect(text).toMatch(/^[^{}]{20,}\.$/);
      // Nobody reads "288m retries per call" as 0.288.
      expect(text).not.toMatch(/NaN|Inf|<no value>|\d[munp] (calls|retries|attempts)|\d\.\d{5}/);
    }
    expect(runbook).toMatch(new RegExp(`^https://[^ {}]+/${rule.alert}\\.md$`));
    expect(dashboard).toMatch(/^http:\/\/[^ {}]+\/d\/retry-\w+\?var-job=[^ {}]+$/);
  }
});

it.each(rows)('shows $title a healthy service that has all that it looks at', ({ rule }) => {
  const healthy = files.find(({ name }) => name === 'healthy.yml')?.tests[0];
  expect(healthy?.promql_expr_test).toContainEqual({
    expr: 'max_over_time(ALERTS{alertstate="firing"}[6h])',
    eval_time: '6h',
  });
  const there = new Set(healthy?.input_series.map(({ series }) => metricOf(series)));
  expect([...lookedAt(rule.expr)].filter(metric => !there.has(metric))).toEqual([]);
});

function firingsOf(rule: AlertRule): Firing[] {
  return files.flatMap(file =>
    file.tests.flatMap(scenario => {
      const checks = (scenario.alert_rule_test ?? [])
        .filter(({ alertname }) => alertname === rule.alert)
        .map(check => ({
          at: seconds(check.eval_time),
          alert: check.exp_alerts?.find(({ exp_labels: labels }) => labels.long === rule.labels.long),
        }));
      const silent = checks.filter(({ alert }) => alert === undefined).map(({ at }) => at);
      return checks.flatMap(({ at, alert }) =>
        alert === undefined
          ? []
          : [
              {
                alert,
                at,
                silentAt: Math.max(...silent.filter(time => time < at)),
                resolvedAt: Math.min(...silent.filter(time => time > at)),
                evaluation: seconds(file.evaluation_interval),
              },
            ],
      );
    }),
  );
}

/** The metrics that an expression reads, through recorded series as well. */
function lookedAt(expr: string): Set<string> {
  return new Set(
    metricNames(expr).flatMap(name => {
      const record = records.find(rule => rule.record === name);
      return record === undefined ? [name] : [...lookedAt(record.expr)];
    }),
  );
}
