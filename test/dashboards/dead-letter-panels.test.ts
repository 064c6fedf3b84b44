import { join } from 'node:path';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { stringify } from 'yaml';
import { resolveConfig } from '../../dashboards/src/config.ts';
import { protectionDashboard } from '../../dashboards/src/protection.ts';
import { queriesOf } from '../../dashboards/src/walk.ts';
import { expand } from './lint/promql.ts';
import { expectContent, testEachWith, withFiles } from './rules/tools.ts';

/** Ten minutes of two processes that share a queue: letters come in, four of five redrives succeed, one is evicted. */
const SERIES: Readonly<Record<string, string>> = {
  'retry_dead_letter_depth{job="shop", instance="a:1", queue="orders"}': '0+2x10',
  'retry_dead_letter_depth{job="shop", instance="b:1", queue="orders"}': '0+2x10',
  'retry_dead_letter_quarantined{job="shop", instance="a:1", queue="orders"}': '0x7 3x3',
  'retry_dead_letter_quarantined{job="shop", instance="b:1", queue="orders"}': '0x7 3x3',
  'retry_dead_letter_oldest_age_seconds{job="shop", instance="a:1", queue="orders"}': '0+60x10',
  'retry_dead_letters_total{job="shop", instance="a:1", queue="orders", event="stored"}': '0+60x10',
  'retry_dead_letters_total{job="shop", instance="a:1", queue="orders", event="redriven"}': '0+12x10',
  'retry_dead_letters_total{job="shop", instance="b:1", queue="orders", event="redriven"}': '0+12x10',
  'retry_dead_letters_total{job="shop", instance="b:1", queue="orders", event="failed"}': '0+6x10',
  'retry_dead_letters_total{job="shop", instance="a:1", queue="orders", event="evicted"}': '0x10',
  'retry_dead_letters_total{job="shop", instance="a:1", queue="orders", event="not_stored"}': '0+6x10',
};

/** What each query of each panel has to show of them at the end. */
const SHOWN: Readonly<Record<string, readonly { labels: string; value: number }[]>> = {
  'Dead letters in each queue: A': [{ labels: '{queue="orders"}', value: 20 }],
  'Dead letters in each queue: B': [{ labels: '{queue="orders"}', value: 3 }],
  'Dead letters in and out: A': [
    { labels: '{queue="orders", event="stored"}', value: 1 },
    { labels: '{queue="orders", event="redriven"}', value: 0.4 },
    { labels: '{queue="orders", event="failed"}', value: 0.1 },
    { labels: '{queue="orders", event="evicted"}', value: 0 },
    { labels: '{queue="orders", event="not_stored"}', value: 0.1 },
  ],
  'Redrives that succeed: A': [{ labels: '{}', value: 0.8 }],
  'Age of the oldest dead letter: A': [{ labels: '{queue="orders"}', value: 600 }],
};

const queries = queriesOf(protectionDashboard(resolveConfig()) as Dashboard)
  .filter(({ expr }) => expr.includes('retry_dead_letter'))
  .map(({ panel, refId, expr }) => ({ name: `${panel}: ${refId}`, expr }));

it('knows every query about dead letters', () => {
  expect(new Set(queries.map(({ name }) => name))).toEqual(new Set(Object.keys(SHOWN)));
});

testEachWith(
  'promtool',
  'shows in "%s" what its series say',
  queries.map(query => [query.name, query] as const),
  ({ name, expr }) => {
    const scenario = {
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: Object.entries(SERIES).map(([series, values]) => ({ series, values })),
          promql_expr_test: [{ expr: forAll(expr), eval_time: '10m', exp_samples: SHOWN[name] }],
        },
      ],
    };
    withFiles({ 'scenario.yml': stringify(scenario) }, folder =>
      expectContent('promtool', ['test', 'rules', join(folder, 'scenario.yml')]),
    );
  },
);

/** The query for every job and process. */
function forAll(expr: string): string {
  return expand(expr).replaceAll(/\$(job|instance)\b/g, '.+');
}
