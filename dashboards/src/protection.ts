import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { type DashboardsConfig, DEFAULT_OBJECTIVE, type Window } from './config.ts';
import { choice, dashboard, inJob, inProcess, values } from './frame.ts';
import type { PanelSpec } from './panel-spec.ts';
import { Queries } from './queries.ts';
import { label, RECORDED } from './series.ts';

/** "What guards us, and what is lost?" */
export function protectionDashboard(config: DashboardsConfig): Dashboard {
  const operation = label('operation');
  return dashboard(config, {
    uid: 'retry-protection',
    title: 'Retry / Protection',
    description: 'What guards us, and what is lost?',
    variables: [choice('operation', 'Operation', values(config, operation, inProcess(config), 'calls'))],
    rows: [
      { title: 'Objective', panels: objective(config) },
      { title: 'Retry budgets', panels: budgets(config) },
      { title: 'Circuit breakers', panels: breakers(config) },
      { title: 'Dead letters', panels: deadLetters(config) },
      { title: 'Health of the metrics', panels: telemetry(config) },
    ],
  });
}

/** Panels over recorded series, which know no instance. */
function objective(config: DashboardsConfig): PanelSpec[] {
  const operation = label('operation');
  const recorded = (name: string): string => `${name}{${inJob(config)}, ${operation}=~"$operation"}`;
  const allowed =
    config.objective === 'exported'
      ? `on (${config.jobLabel}, ${operation}) group_left () (${recorded(RECORDED.objective)} > 0)`
      : String(config.objective);
  const burn = (window: Window): string => `${recorded(RECORDED.retriesPerCall(window))} / ${allowed}`;
  return [
    {
      kind: 'lines',
      title: 'Burn rate',
      description:
        'How many times faster than its objective an operation retries. At 1 a month lasts a month; at 14.4, the page, it lasts two days.',
      unit: 'none',
      width: 16,
      thresholds: { worse: 'high', warn: 1, bad: 14.4 },
      queries: (['5m', '1h', '6h', '3d'] as const).map(window => ({
        expr: burn(window),
        legend: `{{${operation}}} over ${window}`,
      })),
      noValue: 'no recorded series: are the rules loaded?',
    },
    {
      kind: 'stat',
      title: 'Left of three days',
      description: `What is left of the retries that the objective (${DEFAULT_OBJECTIVE} per call, unless set) allows for three days, in the worst operation. Below nothing: stop adding retries, and cure the cause.`,
      unit: 'percentunit',
      width: 8,
      thresholds: { worse: 'low', warn: 0.5, bad: 0 },
      queries: [{ expr: `min(1 - ${burn('3d')})` }],
      noValue: 'no recorded series: are the rules loaded?',
    },
  ];
}

function budgets(config: DashboardsConfig): PanelSpec[] {
  const ask = new Queries(config);
  const budget = label('budget');
  const decision = label('decision');
  return [
    {
      kind: 'lines',
      title: 'Tokens left',
      description:
        'What each budget still holds of its capacity. A budget that stays empty does its work: something behind it fails too often.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: { worse: 'low', warn: 0.5, bad: config.tokensLowRatio },
      queries: [
        {
          expr: `min by (${budget}) (${ask.ofProcesses('budgetTokens')} / (${ask.ofProcesses('budgetCapacity')} > 0))`,
          legend: `{{${budget}}}`,
        },
      ],
      noValue: 'no budget',
    },
    {
      kind: 'stacked',
      title: 'Retries granted and denied',
      description:
        'What the budgets answered. Denied retries are calls that failed sooner, and load that was not added.',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: ask.rate(ask.ofProcesses('budgetWithdrawals'), budget, decision),
          legend: `{{${budget}}} {{${decision}}}`,
        },
      ],
      noValue: 'no retry asked',
    },
    {
      kind: 'lines',
      title: 'Where budgets are kept',
      description:
        'Processes by mode. degraded: a budget of the fleet without its Redis, each process on its own. Look at Redis, not at the calls.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: `sum by (${budget}, ${label('mode')}) (${ask.ofProcesses('budgetMode')})`,
          legend: `{{${budget}}} {{${label('mode')}}}`,
        },
      ],
      noValue: 'no budget',
    },
  ];
}

function breakers(config: DashboardsConfig): PanelSpec[] {
  const ask = new Queries(config);
  const breaker = label('breaker');
  const state = (name: string): string => ask.ofProcesses('breakerState', [`${label('state')}="${name}"`]);
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
          expr: `max by (${config.instanceLabel}, ${breaker}) (${state('half_open')} + on (${config.jobLabel}, ${config.instanceLabel}, ${breaker}) 2 * ${state('open')} + on (${config.jobLabel}, ${config.instanceLabel}, ${breaker}) 3 * ${state('forced_open')})`,
          legend: `{{${breaker}}} in {{${config.instanceLabel}}}`,
        },
      ],
      noValue: 'no breaker',
    },
    {
      kind: 'lines',
      title: 'Share of time not closed',
      description:
        'How much of the time a circuit kept calls away, also where it opened and closed between two scrapes.',
      unit: 'percentunit',
      width: 12,
      max: 1,
      thresholds: { worse: 'high', warn: 0.1, bad: 0.5 },
      queries: [
        {
          expr: `${ask.rate(ask.ofProcesses('breakerStateSeconds', [`${label('state')}!="closed"`]), breaker)} / ${ask.rate(ask.ofProcesses('breakerStateSeconds'), breaker)}`,
          legend: `{{${breaker}}}`,
        },
      ],
      noValue: 'no breaker',
    },
    {
      kind: 'lines',
      title: 'Changes of state in an hour',
      description:
        'How often each circuit changed to a state. Many changes to closed: it flaps. Let it stay open longer.',
      unit: 'short',
      width: 12,
      queries: [
        {
          expr: `sum by (${breaker}, ${label('to')}) (increase(${ask.ofProcesses('breakerTransitions')}[1h]))`,
          legend: `{{${breaker}}} to {{${label('to')}}}`,
        },
      ],
      noValue: 'no breaker',
    },
    {
      kind: 'stacked',
      title: 'Attempts at the circuits',
      description: 'What attempts brought, and how many were refused. rejected is load that an open circuit kept away.',
      unit: 'ops',
      width: 12,
      queries: [
        {
          expr: ask.rate(ask.ofProcesses('breakerCalls'), breaker, label('result')),
          legend: `{{${breaker}}} {{${label('result')}}}`,
        },
      ],
      noValue: 'no breaker',
    },
  ];
}

function deadLetters(config: DashboardsConfig): PanelSpec[] {
  const ask = new Queries(config);
  const queue = label('queue');
  return [
    {
      kind: 'lines',
      title: 'Dead letters in each queue',
      description:
        'What was given up and is kept. It should be nothing: look at the newest, cure their cause, then redrive.',
      unit: 'short',
      width: 8,
      thresholds: { worse: 'high', warn: 1, bad: 1000 },
      queries: [{ expr: `max by (${queue}) (${ask.ofProcesses('deadLetterDepth')})`, legend: `{{${queue}}}` }],
      noValue: 'no queue',
    },
    {
      kind: 'stacked',
      title: 'Dead letters in and out',
      description:
        'stored come in; redriven went out again with success; evicted are lost; quarantined failed too often.',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: ask.rate(ask.ofProcesses('deadLetters'), queue, label('event')),
          legend: `{{${queue}}} {{${label('event')}}}`,
        },
      ],
      noValue: 'no queue',
    },
    {
      kind: 'stat',
      title: 'Age of the oldest dead letter',
      description:
        'What is older than the retention is dropped. A letter of more than a day has been forgotten: redrive or purge it.',
      unit: 's',
      width: 8,
      thresholds: { worse: 'high', warn: 3600, bad: 86_400 },
      queries: [{ expr: `max by (${queue}) (${ask.ofProcesses('deadLetterOldestAge')})`, legend: `{{${queue}}}` }],
      noValue: 'no queue',
    },
  ];
}

function telemetry(config: DashboardsConfig): PanelSpec[] {
  const ask = new Queries(config);
  const source = label('source');
  const [job, instance] = inProcess(config);
  return [
    {
      kind: 'lines',
      title: 'Processes by version',
      description:
        'How many processes show metrics of the library, by its version. A fall without a release: they lost them.',
      unit: 'short',
      width: 8,
      queries: [
        { expr: `sum by (${label('version')}) (${ask.ofProcesses('info')})`, legend: `{{${label('version')}}}` },
      ],
      noValue: 'no process',
    },
    {
      kind: 'lines',
      title: 'Faults, and records that went to "other"',
      description:
        'Faults of loggers, exporters and hooks that were kept from the calls, and names beyond what is told apart. Each is a line of code to be put right.',
      unit: 'ops',
      width: 8,
      thresholds: { worse: 'high', warn: 0.01, bad: 1 },
      queries: [
        { expr: ask.rate(ask.ofProcesses('telemetryErrors'), source), legend: `fault of {{${source}}}` },
        { expr: ask.rate(ask.ofProcesses('overflow'), source), legend: `too many of {{${source}}}` },
      ],
      noValue: 'none',
    },
    {
      kind: 'lines',
      title: 'Series, and time of a scrape',
      description:
        'What the metrics cost. Series that grow without end mean an operation name with ids in it: name the operation, not the request.',
      unit: 'short',
      width: 8,
      queries: [
        { expr: `count({__name__=~"(retry|circuit_breaker)_.+", ${job}, ${instance}})`, legend: 'series' },
        { expr: `max(scrape_duration_seconds{${job}, ${instance}})`, legend: 'seconds of a scrape' },
      ],
      noValue: 'no process',
    },
  ];
}
