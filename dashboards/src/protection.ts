import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import type { DashboardsConfig } from './config.ts';
import { seconds } from './duration.ts';
import { dashboard } from './frame.ts';
import { runbook } from './links.ts';
import { objectivePanels } from './objective.ts';
import type { PanelSpec } from './panel-spec.ts';
import { Queries, ratio } from './queries.ts';
import { inProcess, scraped } from './selectors.ts';
import { label, oneOf, RECORDED } from './series.ts';

/** "What guards us, and what is lost?" */
export function protectionDashboard(config: DashboardsConfig): Dashboard {
  return dashboard(config, {
    uid: 'retry-protection',
    title: 'Retry / Protection',
    description: 'What guards us, and what is lost?',
    rows: [
      { title: 'Objective', panels: objectivePanels(config) },
      { title: 'Retry budgets', panels: budgets(config) },
      { title: 'Circuit breakers', panels: breakers(config) },
      { title: 'Dead letters', panels: deadLetters(config) },
      { title: 'Health of the metrics', panels: telemetry(config) },
    ],
  });
}

function budgets(config: DashboardsConfig): PanelSpec[] {
  const ask = new Queries(config);
  const budget = label('budget');
  const decision = label('decision');
  const mode = label('mode');
  return [
    {
      kind: 'lines',
      title: 'Tokens left',
      description:
        'What each budget still holds of its capacity. A budget that stays empty does its work: find what fails behind it, and leave the budget as it is.',
      unit: 'percentunit',
      width: 6,
      max: 1,
      thresholds: { worse: 'low', warn: Math.min(1, 2 * config.tokensLowRatio), bad: config.tokensLowRatio },
      queries: [{ expr: `min by (${budget}) (${ask.tokensLeft()})`, legend: `{{${budget}}}` }],
      noValue: 'no budget',
      links: [runbook(config, 'RetryBudgetTokensLow')],
    },
    {
      kind: 'stacked',
      title: 'Retries granted and denied',
      description:
        'What the budgets answered. Denied retries are calls that failed sooner, and load that was not added: find out which operation asks so often.',
      unit: 'ops',
      width: 6,
      queries: [
        {
          expr: ask.rate(ask.ofProcesses('budgetWithdrawals'), budget, decision),
          legend: `{{${budget}}} {{${decision}}}`,
        },
      ],
      noValue: 'no budget',
      links: [runbook(config, 'RetryBudgetDenied')],
    },
    {
      kind: 'lines',
      title: 'Who takes from a budget',
      description:
        'Retries that each job was granted. Where a budget is shared by a fleet, look here for the service that eats it up for the others.',
      unit: 'ops',
      width: 6,
      queries: [
        {
          expr: ask.rate(
            ask.ofProcesses('budgetWithdrawals', [oneOf('decision', ['granted'])]),
            budget,
            config.jobLabel,
          ),
          legend: `{{${budget}}} by {{${config.jobLabel}}}`,
        },
      ],
      noValue: 'no budget',
    },
    {
      kind: 'lines',
      title: 'Where budgets are kept',
      description:
        'Processes by mode. degraded is a budget of the fleet without its Redis, each process on its own: look at Redis, not at the calls.',
      unit: 'short',
      width: 6,
      queries: [
        {
          expr: `sum by (${budget}, ${mode}) (${ask.ofProcesses('budgetMode')})`,
          legend: `{{${budget}}} {{${mode}}}`,
        },
      ],
      noValue: 'no budget',
      links: [runbook(config, 'RetryBudgetDegraded')],
    },
  ];
}

function breakers(config: DashboardsConfig): PanelSpec[] {
  const ask = new Queries(config);
  const breaker = label('breaker');
  const result = label('result');
  const state = (name: string): string => ask.ofProcesses('breakerState', [oneOf('state', [name])]);
  const same = `on (${config.jobLabel}, ${config.instanceLabel}, ${breaker})`;
  const notClosed = ask.ofProcesses('breakerStateSeconds', [`${label('state')}!="closed"`]);
  return [
    {
      kind: 'states',
      title: 'State of each circuit',
      description:
        'Closed lets calls through, open none, half open a few to see. Long red: repair the dependency. Red and green in turns: it answers probes, but not load.',
      unit: 'none',
      width: 12,
      states: [
        { value: 0, text: 'closed', colour: 'green' },
        { value: 1, text: 'half open', colour: 'orange' },
        { value: 2, text: 'open', colour: 'red' },
        { value: 3, text: 'forced open', colour: 'purple' },
      ],
      queries: [
        {
          expr: `max by (${config.instanceLabel}, ${breaker}) (${state('half_open')} + ${same} 2 * ${state('open')} + ${same} 3 * ${state('forced_open')})`,
          legend: `{{${breaker}}} in {{${config.instanceLabel}}}`,
        },
      ],
      noValue: 'no breaker',
      links: [runbook(config, 'CircuitBreakerOpenTooLong')],
    },
    {
      kind: 'lines',
      title: 'Share of time not closed',
      description:
        'How much of the time a circuit kept calls away, also where it opened and closed between two scrapes. Where it stays high, repair the dependency behind it.',
      unit: 'percentunit',
      width: 12,
      max: 1,
      thresholds: { worse: 'high', warn: 0.1, bad: 0.5 },
      queries: [
        {
          expr: ratio(ask.rate(notClosed, breaker), ask.rate(ask.ofProcesses('breakerStateSeconds'), breaker)),
          legend: `{{${breaker}}}`,
        },
      ],
      noValue: 'no breaker',
      links: [runbook(config, 'CircuitBreakerOpenTooLong')],
    },
    {
      kind: 'lines',
      title: 'Changes of state in an hour',
      description:
        'How often each circuit changed to a state. Many changes to closed: it flaps. Let it stay open longer.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: `sum by (${breaker}, ${label('to')}) (increase(${ask.ofProcesses('breakerTransitions')}[1h]))`,
          legend: `{{${breaker}}} to {{${label('to')}}}`,
        },
      ],
      noValue: 'no breaker',
      links: [runbook(config, 'CircuitBreakerFlapping')],
    },
    {
      kind: 'stacked',
      title: 'Attempts at the circuits',
      description:
        'What attempts brought, and how many were refused. Where failures grow while the circuit stays closed, look at its threshold.',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: ask.rate(ask.ofProcesses('breakerCalls'), breaker, result),
          legend: `{{${breaker}}} {{${result}}}`,
        },
      ],
      noValue: 'no breaker',
    },
    {
      kind: 'lines',
      title: 'Attempts refused by circuits',
      description:
        'Load that open circuits kept away, and what their callers had to do without. Give such calls a fallback, and repair the dependency.',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: ask.rate(ask.ofProcesses('breakerCalls', [oneOf('result', ['rejected'])]), breaker),
          legend: `{{${breaker}}}`,
        },
      ],
      noValue: 'no breaker',
    },
  ];
}

function deadLetters(config: DashboardsConfig): PanelSpec[] {
  const ask = new Queries(config);
  const queue = label('queue');
  const redriven = (...events: string[]): string =>
    ask.increase(ask.ofProcesses('deadLetters', [oneOf('event', events)]));
  const oldest = seconds(config.deadLetterAge) / config.timeScale;
  return [
    {
      kind: 'lines',
      title: 'Dead letters in each queue',
      description:
        'What was given up and waits to be redriven, and what was put aside. It should be nothing: look at the newest, cure their cause, then redrive.',
      unit: 'short',
      width: 6,
      thresholds: { worse: 'high', warn: 1, bad: 1000 },
      queries: [
        { expr: `max by (${queue}) (${ask.ofProcesses('deadLetterDepth')})`, legend: `{{${queue}}}` },
        { expr: `max by (${queue}) (${ask.ofProcesses('deadLetterQuarantined')})`, legend: `{{${queue}}} put aside` },
      ],
      noValue: 'no queue',
      links: [runbook(config, 'DeadLettersGrowing'), runbook(config, 'DeadLettersQuarantined')],
    },
    {
      kind: 'stacked',
      title: 'Dead letters in and out',
      description:
        'stored come in, redriven went out with success. quarantined need a human, evicted are lost. not_stored are in memory and on standard error alone: repair the store.',
      unit: 'ops',
      width: 6,
      queries: [
        {
          expr: ask.rate(ask.ofProcesses('deadLetters'), queue, label('event')),
          legend: `{{${queue}}} {{${label('event')}}}`,
        },
      ],
      noValue: 'no queue',
      links: [runbook(config, 'DeadLettersNotStored'), runbook(config, 'DeadLettersEvicted')],
    },
    {
      kind: 'stat',
      title: 'Redrives that succeed',
      description:
        'Of the dead letters that were tried again in this time, those that went through. Where it is low, the cause is still there: cure it before you redrive more.',
      unit: 'percentunit',
      width: 6,
      thresholds: { worse: 'low', warn: 0.9, bad: 0.5 },
      queries: [{ expr: ratio(redriven('redriven'), redriven('redriven', 'failed')), instant: 'on' }],
      noValue: 'none redriven',
    },
    {
      kind: 'stat',
      title: 'Age of the oldest dead letter',
      description: `What is older than the retention is dropped. A letter of more than ${config.deadLetterAge} has been forgotten: redrive or purge it.`,
      unit: 's',
      width: 6,
      thresholds: { worse: 'high', warn: oldest / 24, bad: oldest },
      queries: [{ expr: `max by (${queue}) (${ask.ofProcesses('deadLetterOldestAge')})`, legend: `{{${queue}}}` }],
      noValue: 'no queue',
      links: [runbook(config, 'DeadLetterOldestTooOld')],
    },
    {
      kind: 'stacked',
      title: 'Calls over long waits',
      description:
        'handed_over leave a process, continued come back. put_back met a worker that lacks their operation, its version or the key: finish the deployment. refused end there: look at the log line of each.',
      unit: 'ops',
      width: 24,
      queries: [
        {
          expr: ask.rate(ask.ofProcesses('durableWaits'), queue, label('event')),
          legend: `{{${queue}}} {{${label('event')}}}`,
        },
      ],
      noValue: 'no queue',
    },
  ];
}

function telemetry(config: DashboardsConfig): PanelSpec[] {
  const ask = new Queries(config);
  const { jobLabel } = config;
  const source = label('source');
  const version = label('version');
  const chosen = inProcess(config);
  // The plain pair is recorded by Prometheus, and costs the process nothing.
  const names = [
    '__name__=~"(retry|retryscope|circuit_breaker)_.+"',
    `__name__!~"${RECORDED.success}|${RECORDED.failure}"`,
  ];
  const ours = [...names, ...(config.selector === '' ? [] : [config.selector]), ...chosen].join(', ');
  return [
    {
      kind: 'lines',
      title: 'Processes that report',
      description:
        'How many processes are scraped, and how many of them show metrics of the library, by its version. Where fewer show them than are up, look for what is not set up there.',
      unit: 'short',
      width: 8,
      queries: [
        { expr: `count(${scraped(config, 'up', chosen)} == 1)`, legend: 'up', line: 'dashed' },
        { expr: `sum by (${version}) (${ask.ofProcesses('info')})`, legend: `retryscope {{${version}}}` },
      ],
      noValue: 'no process',
      links: [runbook(config, 'RetryMetricsMissing')],
    },
    {
      kind: 'lines',
      title: 'Faults kept from the calls',
      description:
        'Faults of loggers, exporters, hooks and predicates. Each is a line of code: find it by the warning RETRYSCOPE_FAULT that its process wrote, and put it right.',
      unit: 'ops',
      width: 8,
      thresholds: { worse: 'high', warn: 0.01, bad: 1 },
      queries: [{ expr: ask.rate(ask.ofProcesses('telemetryErrors'), source), legend: `{{${source}}}` }],
      noValue: 'none',
      links: [runbook(config, 'RetryTelemetryErrors')],
    },
    {
      kind: 'lines',
      title: 'Not shown by themselves',
      description:
        'Operations, errors and limits beyond what is told apart, since the processes started; what they do is under "other". Look for names with ids in them.',
      unit: 'short',
      width: 8,
      thresholds: { worse: 'high', bad: 1 },
      // Not a rate: a policy beyond the limit is counted once, and hidden until its process ends.
      queries: [{ expr: `sum by (${source}) (${ask.ofProcesses('overflow')})`, legend: `{{${source}}}` }],
      noValue: 'none',
      links: [runbook(config, 'RetryMetricsOverflow')],
    },
    {
      kind: 'lines',
      title: 'Series of the library',
      description:
        'What the metrics cost. Series that grow without end mean an operation name with ids in it: name the operation, not the request.',
      unit: 'short',
      width: 12,
      queries: [{ expr: `count by (${jobLabel}) ({${ours}})`, legend: `{{${jobLabel}}}` }],
      noValue: 'no process',
      links: [runbook(config, 'RetryMetricsOverflow')],
    },
    {
      kind: 'lines',
      title: 'Time of a scrape',
      description:
        'How long Prometheus waits for all metrics of a process, the slowest of each job. Above a second, look for what has too many series.',
      unit: 's',
      width: 12,
      thresholds: { worse: 'high', warn: 1, bad: 10 },
      queries: [
        {
          expr: `max by (${jobLabel}) (${scraped(config, 'scrape_duration_seconds', chosen)})`,
          legend: `{{${jobLabel}}}`,
        },
      ],
      noValue: 'not scraped',
    },
  ];
}
