import { join } from 'node:path';
import { stringify } from 'yaml';
import { alertRules } from '../../../dashboards/src/alerts.ts';
import { type DashboardsOptions, resolveConfig } from '../../../dashboards/src/config.ts';
import { recordingRules } from '../../../dashboards/src/rules.ts';
import { RULES } from './scenarios.ts';
import { expectContent, testEachWith, withFiles } from './tools.ts';

/** An outage of 2 retries per call from `onset` on, at ten calls a second, and the labels of the page that it raises. */
interface Case {
  readonly options: DashboardsOptions;
  readonly labels: string;
  /** Seconds. */
  readonly scrape: number;
  readonly onset: number;
  readonly silentAt: number;
  readonly firingAt: number;
  readonly firing: string;
}

const CASES: Readonly<Record<string, Case>> = {
  'an objective for all, labels of other names and a selector': {
    options: { objective: 0.02, jobLabel: 'service', instanceLabel: 'pod', selector: 'team="shop"' },
    labels: 'service="web", pod="web-1", team="shop", operation="load_user"',
    scrape: 15,
    onset: 3600,
    silentAt: 4140,
    firingAt: 4320,
    firing:
      '{alertname="RetryBudgetBurn", severity="critical", service="web", operation="load_user", long="1h", short="5m"}',
  },
  // Eleven minutes become eleven seconds.
  'everything sixty times as fast': {
    options: { timeScale: 60, objective: 0.02 },
    labels: 'job="web", instance="web-1", operation="load_user"',
    scrape: 1,
    onset: 60,
    silentAt: 68,
    firingAt: 73,
    firing:
      '{alertname="RetryBudgetBurn", severity="critical", job="web", operation="load_user", long="1h", short="5m"}',
  },
  'a selector that is for others': {
    options: { objective: 0.02, selector: 'team="mail"' },
    labels: 'job="web", instance="web-1", team="shop", operation="load_user"',
    scrape: 15,
    onset: 3600,
    silentAt: 3600,
    firingAt: 5400,
    firing: '',
  },
};

testEachWith('promtool', 'pages where there is %s', Object.entries(CASES), given => {
  const config = resolveConfig(given.options);
  const { scrape, onset, firingAt, silentAt } = given;
  const before = onset / scrape;
  const after = Math.ceil((firingAt - onset) / scrape) + 1;
  const calls = 10 * scrape;
  const firing = 'ALERTS{alertname="RetryBudgetBurn", alertstate="firing", long="1h"}';
  const samples =
    given.firing === '' ? [] : [{ labels: given.firing.replace('{', 'ALERTS{alertstate="firing", '), value: 1 }];
  const scenario = {
    ...RULES,
    rule_files: ['rules.yml', 'alerts.yml'],
    evaluation_interval: scrape === 1 ? '500ms' : '30s',
    tests: [
      {
        interval: `${scrape}s`,
        input_series: [
          {
            series: `retry_calls_total{${given.labels}, outcome="attempts_exhausted"}`,
            values: `0+${calls}x${before + after}`,
          },
          {
            series: `retry_retries_total{${given.labels}, delay_source="backoff"}`,
            values: `0x${before - 1} 0+${2 * calls}x${after}`,
          },
        ],
        promql_expr_test: [
          { expr: firing, eval_time: `${silentAt}s`, exp_samples: [] },
          { expr: firing, eval_time: `${firingAt}s`, exp_samples: samples },
        ],
      },
    ],
  };
  const files = {
    'rules.yml': stringify(recordingRules(config)),
    'alerts.yml': stringify(alertRules(config)),
    'scenario.yml': stringify(scenario),
  };
  withFiles(files, folder => expectContent('promtool', ['test', 'rules', join(folder, 'scenario.yml')]));
});
