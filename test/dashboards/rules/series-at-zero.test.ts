import { join } from 'node:path';
import { Registry } from 'prom-client';
import { stringify } from 'yaml';
import { LABEL_VALUES } from '../../../instrumentation/names.ts';
import { type PrometheusRegistry, registerRetryMetrics } from '../../../instrumentation/prometheus/index.ts';
import { CircuitBreaker, RetryBudget, RetryPolicy } from '../../../src/index.ts';
import { DeadLetterQueue, MemoryDeadLetterStore } from '../../../src/recovery/dead-letters/index.ts';
import { BullmqWaits } from '../../../src/recovery/durable/bullmq/index.ts';
import { parseExposition } from '../../support/exposition.ts';
import { RULES } from './scenarios.ts';
import { expectContent, testEachWith, withFiles } from './tools.ts';

// An alert sees the first failure of an operation only where a scrape has shown a 0 before it.
const labels = (sets: readonly Readonly<Record<string, string>>[]): string[] =>
  sets.map(set =>
    Object.entries(set)
      .map(([name, value]) => `${name}="${value}"`)
      .sort()
      .join(','),
  );
const operation = 'never_called';

let samples: Record<string, number>;
beforeAll(async () => {
  const registry = new Registry();
  registerRetryMetrics(registry as unknown as PrometheusRegistry);
  const budget = new RetryBudget({ name: 'unused' });
  const breaker = new CircuitBreaker({ name: 'unused' });
  new RetryPolicy({ operation, budget, breaker });
  const queue = new DeadLetterQueue({ name: 'unused', store: new MemoryDeadLetterStore() });
  new BullmqWaits({ queue: { name: 'unused', add: async () => undefined, remove: async () => undefined } });
  // A store is asked in the background.
  await registry.metrics();
  await queue.stats();
  samples = parseExposition(await registry.metrics()).samples;
});

it.each<[string, string[]]>([
  ['retry_calls_total', labels(LABEL_VALUES.outcome.map(outcome => ({ operation, outcome })))],
  ['retry_retries_total', labels(LABEL_VALUES.delaySource.map(source => ({ operation, delay_source: source })))],
  ['retry_attempts_total', labels([{ operation, result: 'success' }])],
  ['retry_delay_seconds_sum', labels([{ operation }])],
  ['retry_call_duration_seconds_sum', labels(LABEL_VALUES.result.map(result => ({ operation, result })))],
  ['retry_budget_withdrawals_total', labels(LABEL_VALUES.decision.map(decision => ({ budget: 'unused', decision })))],
  ['circuit_breaker_calls_total', labels(LABEL_VALUES.breakerResult.map(result => ({ breaker: 'unused', result })))],
  ['circuit_breaker_transitions_total', labels(LABEL_VALUES.breakerState.map(to => ({ breaker: 'unused', to })))],
  ['retry_dead_letters_total', labels(LABEL_VALUES.deadLetterEvent.map(event => ({ queue: 'unused', event })))],
  ['retry_durable_waits_total', labels(LABEL_VALUES.durableWaitEvent.map(event => ({ queue: 'unused', event })))],
  ['retry_telemetry_errors_total', labels(LABEL_VALUES.faultSource.map(source => ({ source })))],
  ['retry_overflow_total', labels(LABEL_VALUES.overflowSource.map(source => ({ source })))],
])('shows every series of %s at 0 before the first call', (family, sets) => {
  const shown = sets.map(set => [set, samples[`${family}{${set}}`]]);
  expect(shown).toEqual(sets.map(set => [set, 0]));
});

it('shows the gauges that alerts read from the start', () => {
  expect(samples).toMatchObject({
    'retry_objective_ratio{operation="never_called"}': 0.02,
    'retry_budget_tokens{budget="unused"}': 10,
    'retry_budget_capacity{budget="unused"}': 10,
    'retry_budget_mode{budget="unused",mode="degraded"}': 0,
    'circuit_breaker_state{breaker="unused",state="closed"}': 1,
    'circuit_breaker_state{breaker="unused",state="open"}': 0,
    'retry_dead_letter_depth{queue="unused"}': 0,
    'retry_dead_letter_oldest_age_seconds{queue="unused"}': 0,
    'retry_dead_letter_quarantined{queue="unused"}': 0,
  });
});

testEachWith('promtool', 'raises no alert by %s', [['a service that has just started', undefined] as const], () => {
  const series = Object.entries(samples).map(([name, value]) => ({
    series: name.replace(/\{(.*)\}$/, '{job="shop",instance="a",$1}'),
    values: `${value}x120`,
  }));
  const scenario = {
    ...RULES,
    evaluation_interval: '30s',
    tests: [
      {
        interval: '15s',
        input_series: [...series, { series: 'up{job="shop",instance="a"}', values: '1x120' }],
        promql_expr_test: [
          { expr: 'max_over_time(ALERTS[30m])', eval_time: '30m' },
          // The plain pair is there before the first call as well.
          ...['retry_success_total', 'retry_failure_total'].map(name => ({
            expr: `${name}{operation="${operation}"}`,
            eval_time: '30m',
            exp_samples: [{ labels: `${name}{job="shop",instance="a",operation="${operation}"}`, value: 0 }],
          })),
        ],
      },
    ],
  };
  withFiles({ 'start.yml': stringify(scenario) }, folder =>
    expectContent('promtool', ['test', 'rules', join(folder, 'start.yml')]),
  );
});
