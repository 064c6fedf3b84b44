import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { OUTCOME_COLOURS } from './colours.ts';
import type { DashboardsConfig } from './config.ts';
import { dashboard } from './frame.ts';
import { cell, runbook, runbookFolder, toDashboard } from './links.ts';
import type { PanelSpec, Query } from './panel-spec.ts';
import { Queries, ratio } from './queries.ts';
import { firing, subjects } from './selectors.ts';
import { label, OUTCOMES, oneOf } from './series.ts';

/** "Are my calls fine, and do retries help?" */
export function overviewDashboard(config: DashboardsConfig): Dashboard {
  return dashboard(config, {
    uid: 'retry-overview',
    title: 'Retry / Overview',
    description: 'Are my calls fine, and do retries help?',
    rows: [
      { title: 'Now', panels: now(config) },
      { title: 'Calls', panels: calls(config) },
      { title: 'Retries', panels: retries(config) },
      { title: 'What retries bought, and what they cost', panels: worth(config) },
      { title: 'Who', panels: who(config) },
    ],
  });
}

function now(config: DashboardsConfig): PanelSpec[] {
  const ask = new Queries(config);
  const protection = toDashboard('Protection', 'retry-protection');
  return [
    {
      kind: 'stat',
      title: 'Calls',
      description: 'Calls that end in a second. A sudden fall is as telling as a rise: look for what stopped calling.',
      unit: 'reqps',
      width: 4,
      queries: [{ expr: ask.calls() }],
      noValue: 'none',
      links: [runbook(config, 'RetryOperationSilent')],
    },
    {
      kind: 'stat',
      title: 'Success',
      description:
        'Calls whose callers got an answer, retries included. Below 99 % look at the operations below, the worst first.',
      unit: 'percentunit',
      width: 4,
      thresholds: { worse: 'low', warn: 0.999, bad: 0.99 },
      queries: [{ expr: ask.success() }],
      noValue: 'no calls',
      links: [runbook(config, 'RetryExhaustionHigh')],
    },
    {
      kind: 'stat',
      title: 'Recovered by retries',
      description:
        'Of the calls that were retried, those that then succeeded. Where it is low, retries only add load: find out whether their errors are permanent.',
      unit: 'percentunit',
      width: 4,
      thresholds: { worse: 'low', warn: Math.min(1, 3 * config.minRecoveredRatio), bad: config.minRecoveredRatio },
      queries: [{ expr: ask.recovered() }],
      noValue: 'no retries',
      links: [runbook(config, 'RetryNotHelping')],
    },
    {
      kind: 'stat',
      title: 'Attempts per call',
      description: `What load the dependencies see for each call. Above ${config.stormAmplification} retries are a storm of their own: give the policy a budget, or fewer attempts.`,
      unit: 'none',
      width: 4,
      thresholds: {
        worse: 'high',
        warn: 1 + (config.stormAmplification - 1) / 10,
        bad: config.stormAmplification,
      },
      queries: [{ expr: ask.amplification() }],
      noValue: 'no calls',
      links: [runbook(config, 'RetryStorm')],
    },
    {
      kind: 'stat',
      title: 'Least budget left',
      description:
        'The emptiest of the retry budgets. Once it is empty, failed calls get no retry: see Protection for which one, and cure what fails.',
      unit: 'percentunit',
      width: 4,
      thresholds: { worse: 'low', warn: Math.min(1, 2 * config.tokensLowRatio), bad: config.tokensLowRatio },
      queries: [{ expr: `min(${ask.tokensLeft()})` }],
      noValue: 'no budget',
      links: [protection, runbook(config, 'RetryBudgetTokensLow')],
    },
    {
      kind: 'stat',
      title: 'Circuits not closed',
      description:
        'Circuit breakers that keep calls from a dependency, in all processes. Any is worth a look: see Protection for which.',
      unit: 'none',
      width: 4,
      thresholds: { worse: 'high', bad: 1 },
      queries: [
        {
          expr: `sum(${ask.ofProcesses('breakerState', [oneOf('state', ['open', 'half_open', 'forced_open'])])})`,
        },
      ],
      noValue: 'no breaker',
      links: [protection, runbook(config, 'CircuitBreakerOpenTooLong')],
    },
  ];
}

function calls(config: DashboardsConfig): PanelSpec[] {
  const ask = new Queries(config);
  const outcome = label('outcome');
  return [
    {
      kind: 'stacked',
      title: 'Calls by outcome',
      description:
        'What became of the calls. Yellow is what retries saved; whatever is neither green nor yellow reached a caller as an error: find its operation below, and follow a dot to a trace.',
      unit: 'reqps',
      width: 12,
      queries: [{ expr: ask.calls(undefined, outcome), legend: `{{${outcome}}}`, exemplars: 'on' }],
      noValue: 'no calls yet',
      colours: OUTCOME_COLOURS,
    },
    {
      kind: 'lines',
      title: 'Time of a call',
      description:
        'How long callers wait, retries and their delays included. Follow a dot to the trace of one call. Where p99 is many times p50, retries or time-outs are the cause.',
      unit: 's',
      width: 12,
      queries: [0.5, 0.95, 0.99].map(q => ({
        expr: ask.quantile(q, 'callDuration'),
        legend: `p${q * 100}`,
        // The dots are the same for every quantile.
        ...(q === 0.99 ? { exemplars: 'on' as const } : undefined),
      })),
      noValue: 'no calls',
    },
  ];
}

function retries(config: DashboardsConfig): PanelSpec[] {
  const ask = new Queries(config);
  const operation = label('operation');
  const errorType = label('errorType');
  const objective: Query =
    config.objective === 'exported'
      ? {
          expr: `max by (${operation}) (${ask.ofOperations('objectiveRatio')})`,
          legend: `objective of {{${operation}}}`,
          line: 'dashed',
        }
      : { expr: `vector(${config.objective})`, legend: 'objective', line: 'dashed' };
  return [
    {
      kind: 'lines',
      title: 'Retries per call, beside the objective',
      description:
        'Each operation, and the objective that its burn-rate alert compares it with. An operation that stays above its line will page: find its error in the next panel.',
      unit: 'percentunit',
      width: 12,
      queries: [{ expr: ask.retriesPerCall(operation), legend: `{{${operation}}}` }, objective],
      noValue: 'no calls',
      links: [runbook(config, 'RetryBudgetBurn')],
    },
    {
      kind: 'lines',
      title: 'Failed attempts by error',
      description:
        'Why there are retries. One kind from one dependency is an outage there; many kinds are the network, or this service itself. Follow a dot to the trace of such a call.',
      unit: 'ops',
      width: 12,
      queries: [{ expr: ask.failures(errorType), legend: `{{${errorType}}}`, exemplars: 'on' }],
      noValue: 'nothing failed',
    },
  ];
}

function worth(config: DashboardsConfig): PanelSpec[] {
  const ask = new Queries(config);
  const saved = ask.ofOperations('calls', [oneOf('outcome', OUTCOMES.recovered)]);
  return [
    {
      kind: 'stat',
      title: 'Calls saved',
      description:
        'Calls in this time that failed at first and then succeeded. Without retries these were errors: compare them with the cost beside.',
      unit: 'short',
      width: 6,
      // Extrapolated, it would be 98.8 calls.
      queries: [{ expr: `round(${ask.increase(saved)})`, instant: 'on' }],
      noValue: 'none',
    },
    {
      kind: 'stat',
      title: 'Time that callers waited',
      description:
        'Delays between attempts in this time, of all calls together. It is what the saved calls cost their callers: lower maxDelay where that is too much.',
      unit: 's',
      width: 6,
      queries: [{ expr: ask.increase(ask.ofOperations('delay', [], 'sum')), instant: 'on' }],
      noValue: 'none',
    },
    {
      kind: 'stat',
      title: 'Extra load',
      description:
        'Retries and hedges for each call in this time, which is what the dependencies had to carry on top. Give the policies a budget to bound it.',
      unit: 'percentunit',
      width: 6,
      thresholds: { worse: 'high', warn: 0.1, bad: 0.5 },
      queries: [
        {
          expr: ratio(ask.increase(ask.ofOperations('retries')), ask.increase(ask.ofOperations('calls'))),
          instant: 'on',
        },
      ],
      noValue: 'no calls',
      links: [runbook(config, 'RetryStorm')],
    },
    {
      kind: 'stat',
      title: 'Share of time spent waiting',
      description:
        'Of the time of all calls, what was delay and not work. Where it is high, callers mostly wait for retries that may not help: lower maxDelay, or fail faster.',
      unit: 'percentunit',
      width: 6,
      thresholds: { worse: 'high', warn: config.delayShare / 2, bad: config.delayShare },
      queries: [{ expr: ask.delayShare() }],
      noValue: 'no calls',
      links: [runbook(config, 'RetryDelayDominates')],
    },
  ];
}

function who(config: DashboardsConfig): PanelSpec[] {
  const ask = new Queries(config);
  const operation = label('operation');
  return [
    {
      kind: 'table',
      title: 'Operations',
      description:
        'Every operation now, the lowest success first. Follow the link in a row to find out why that one is retrying.',
      unit: 'none',
      width: 24,
      link: toDashboard('Why is this one retrying?', 'retry-operation', { operation: cell('Operation') }),
      queries: [
        ask.calls(undefined, operation),
        ask.success(operation),
        ask.retriesPerCall(operation),
        ask.quantile(0.99, 'callDuration', operation),
        ask.calls(OUTCOMES.exhausted, operation),
      ].map(expr => ({ expr, instant: 'on' as const })),
      columns: [
        { from: operation, title: 'Operation' },
        { from: 'Value #A', title: 'Calls', unit: 'reqps' },
        {
          from: 'Value #B',
          title: 'Success',
          unit: 'percentunit',
          thresholds: { worse: 'low', warn: 0.999, bad: 0.99 },
        },
        { from: 'Value #C', title: 'Retries per call', unit: 'percentunit' },
        { from: 'Value #D', title: 'p99', unit: 's' },
        { from: 'Value #E', title: 'Given up', unit: 'reqps' },
      ],
      lowestFirst: 'Success',
      noValue: 'no calls yet',
    },
    {
      kind: 'table',
      title: 'Firing alerts',
      description:
        'What is on now, and the operation, budget, breaker or queue that it is about. Follow the link in a row to the runbook of the alert.',
      unit: 'none',
      width: 24,
      link: { title: 'Runbook', url: `${runbookFolder(config)}${cell('Alert')}.md` },
      queries: [
        {
          expr: `label_join(${firing(config)}, "subject", "", ${subjects()
            .map(name => `"${name}"`)
            .join(', ')})`,
          instant: 'on',
        },
      ],
      columns: [
        { from: 'alertname', title: 'Alert' },
        { from: 'severity', title: 'Severity' },
        { from: 'subject', title: 'About' },
        { from: config.instanceLabel, title: 'Instance' },
        { from: config.jobLabel, title: 'Job' },
      ],
      noValue: 'nothing fires',
    },
  ];
}
