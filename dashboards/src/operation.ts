import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { ATTRIBUTES, LOG_FIELDS } from '../../instrumentation/names.ts';
import { OUTCOME_COLOURS } from './colours.ts';
import type { DashboardsConfig } from './config.ts';
import { dashboard } from './frame.ts';
import { runbook } from './links.ts';
import type { PanelSpec } from './panel-spec.ts';
import { Queries, ratio } from './queries.ts';
import { inProcess, scraped } from './selectors.ts';
import { label, noneOf, OUTCOMES } from './series.ts';

/** "Why is this one retrying?" */
export function operationDashboard(config: DashboardsConfig): Dashboard {
  return dashboard(config, {
    uid: 'retry-operation',
    title: 'Retry / Operation',
    description: 'Why is this one retrying?',
    rows: [
      { title: 'Attempts', panels: attempts(config) },
      { title: 'Errors', panels: errors(config) },
      { title: 'Time', panels: time(config) },
      { title: 'Outcome', panels: outcome(config) },
      { title: 'Traces and logs', panels: tracesAndLogs() },
      { title: 'Processes', panels: processes(config) },
    ],
  });
}

function attempts(config: DashboardsConfig): PanelSpec[] {
  const ask = new Queries(config);
  const operation = label('operation');
  const delaySource = label('delaySource');
  return [
    {
      kind: 'lines',
      title: 'Attempts per call',
      description:
        'The mean, by operation. 1 means that nothing is retried; the closer to maxAttempts, the longer the outage behind it: look at the errors below.',
      unit: 'none',
      width: 8,
      thresholds: {
        worse: 'high',
        warn: 1 + (config.stormAmplification - 1) / 10,
        bad: config.stormAmplification,
      },
      queries: [
        {
          expr: ratio(
            ask.rate(ask.ofOperations('callAttempts', [], 'sum'), operation),
            ask.rate(ask.ofOperations('callAttempts', [], 'count'), operation),
          ),
          legend: `{{${operation}}}`,
        },
      ],
      noValue: 'no calls',
      links: [runbook(config, 'RetryStorm')],
    },
    {
      kind: 'heatmap',
      title: 'Attempts that calls took',
      description:
        'How many calls needed one attempt, two, three and more. Where many go up to the last, see on Overview whether it still helps, and lower maxAttempts if not.',
      unit: 'none',
      width: 8,
      queries: [{ expr: ask.spread('callAttempts'), legend: '{{le}}', exemplars: 'on' }],
      noValue: 'no calls yet',
    },
    {
      kind: 'stacked',
      title: 'Retries by what set their delay',
      description:
        'backoff is the policy, retry_after the server, hedge a second attempt beside a slow one. Much retry_after says that the server throttles: send less.',
      unit: 'ops',
      width: 8,
      queries: [{ expr: ask.retries(delaySource), legend: `{{${delaySource}}}` }],
      noValue: 'no retries',
    },
  ];
}

function errors(config: DashboardsConfig): PanelSpec[] {
  const ask = new Queries(config);
  const errorType = label('errorType');
  return [
    {
      kind: 'stacked',
      title: 'Failed attempts by error',
      description:
        'What the attempts failed with. Follow a dot to a trace. If most are permanent (4xx, validation), mark them as not retryable.',
      unit: 'ops',
      width: 12,
      queries: [{ expr: ask.failures(errorType), legend: `{{${errorType}}}`, exemplars: 'on' }],
      noValue: 'nothing failed',
      links: [runbook(config, 'RetryNotHelping')],
    },
    {
      kind: 'stacked',
      title: 'Share of each error',
      description:
        'The same errors as parts of all. A share that grows while the rest stays is a new cause: look for what was released just before.',
      unit: 'percentunit',
      width: 12,
      max: 1,
      queries: [
        {
          expr: `${ask.failures(errorType)} / ignoring (${errorType}) group_left () (${ask.failures()} > 0)`,
          legend: `{{${errorType}}}`,
        },
      ],
      noValue: 'nothing failed',
    },
  ];
}

function time(config: DashboardsConfig): PanelSpec[] {
  const ask = new Queries(config);
  return [
    {
      kind: 'heatmap',
      title: 'Time of a call',
      description:
        'How the calls spread, retries and delays included. A second band above the first is the calls that were retried. Follow a dot to a trace.',
      unit: 's',
      width: 8,
      queries: [{ expr: ask.spread('callDuration'), legend: '{{le}}', exemplars: 'on' }],
      noValue: 'no calls yet',
    },
    {
      kind: 'heatmap',
      title: 'Delay before a retry',
      description:
        'How long retries wait. All at one height means no jitter: turn it on, or retries come together and hit the dependency at once.',
      unit: 's',
      width: 8,
      queries: [{ expr: ask.spread('delay'), legend: '{{le}}', exemplars: 'on' }],
      noValue: 'no retries yet',
      links: [runbook(config, 'RetryDelayDominates')],
    },
    {
      kind: 'lines',
      title: 'Time of an attempt, and delay',
      description:
        'Compare p99 of an attempt with its time-out: where they meet, the time-out is too short, or the dependency too slow. p99 of the delay stays below maxDelay.',
      unit: 's',
      width: 8,
      queries: [
        { expr: ask.quantile(0.5, 'attemptDuration'), legend: 'attempt p50' },
        { expr: ask.quantile(0.99, 'attemptDuration'), legend: 'attempt p99', exemplars: 'on' },
        { expr: ask.quantile(0.5, 'delay'), legend: 'delay p50' },
        { expr: ask.quantile(0.99, 'delay'), legend: 'delay p99', exemplars: 'on' },
      ],
      noValue: 'none',
    },
  ];
}

function outcome(config: DashboardsConfig): PanelSpec[] {
  const ask = new Queries(config);
  const operation = label('operation');
  const phase = label('phase');
  const failed = ask.ofOperations('calls', [noneOf('outcome', OUTCOMES.succeeded)]);
  return [
    {
      kind: 'stacked',
      title: 'Calls that failed, by reason',
      description:
        'Why calls stopped without success: out of attempts, time or budget, refused by a circuit, aborted, not retryable. Search the log lines below for the same word.',
      unit: 'reqps',
      width: 8,
      queries: [{ expr: ask.rate(failed, label('outcome')), legend: `{{${label('outcome')}}}`, exemplars: 'on' }],
      noValue: 'nothing failed',
      colours: OUTCOME_COLOURS,
      links: [runbook(config, 'RetryExhaustionHigh'), runbook(config, 'RetryBudgetDenied')],
    },
    {
      kind: 'lines',
      title: 'Calls in flight',
      description:
        'Calls in an attempt, and calls that wait for the next. When the waiting ones pile up, callers pile up behind them: fail faster, or shed load.',
      unit: 'short',
      width: 8,
      queries: [{ expr: `sum by (${phase}) (${ask.ofOperations('callsInFlight')})`, legend: `{{${phase}}}` }],
      noValue: 'no calls yet',
    },
    {
      kind: 'lines',
      title: 'Left to others, and too late',
      description:
        'Retries left to the layer nearest to the failure, and attempts that settled after their call had gone. Where there are many late ones, make the function heed its signal.',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: ask.rate(ask.ofOperations('nestedSuppressed'), operation),
          legend: `left to another layer: {{${operation}}}`,
        },
        { expr: ask.rate(ask.ofOperations('lateResults'), label('result')), legend: `late {{${label('result')}}}` },
      ],
      noValue: 'none',
    },
  ];
}

function tracesAndLogs(): PanelSpec[] {
  // A call says how many attempts it took once it has ended; each attempt says its number, where attempts have spans.
  const span = ATTRIBUTES;
  const retried = `span.${span.attempts}>1 || span.${span.attempt}>1`;
  // Each line of the loggers has one of them; other lines may have an operation too.
  const field = LOG_FIELDS;
  const ours = `${field.attempt}!="" or ${field.attempts}!="" or ${field.letterId}!=""`;
  return [
    {
      kind: 'traces',
      title: 'Traces with retries',
      description:
        'The latest traces with a second attempt. Open one to see what each attempt met, and how long it waited.',
      unit: 'none',
      width: 12,
      queries: [{ expr: `{span.${span.operation}=~"$operation" && (${retried})}` }],
      noValue: 'no trace with a retry',
    },
    {
      kind: 'logs',
      title: 'Log lines',
      description:
        'What the loggers of the library wrote for these operations, as it comes through OpenTelemetry. Open a line for its reason, and follow its trace_id.',
      unit: 'none',
      width: 12,
      queries: [{ expr: `{service_name=~".+"} | ${field.operation}=~"$operation" | ${ours}` }],
      noValue: 'no lines',
    },
  ];
}

function processes(config: DashboardsConfig): PanelSpec[] {
  const ask = new Queries(config);
  const version = label('version');
  const process = `${config.jobLabel}, ${config.instanceLabel}`;
  const info = `max by (${process}, ${version}) (${ask.ofProcesses('info')})`;
  // One a process: just after a release there may be two. And none where OpenTelemetry writes none.
  const target = `topk by (${process}) (1, ${scraped(config, 'target_info', inProcess(config))})`;
  return [
    {
      kind: 'table',
      title: 'Services and versions',
      description:
        'Which release of which service runs in each process, where target_info tells it, and with which version of the library. Compare the processes that retry with those that do not.',
      unit: 'none',
      width: 24,
      queries: [
        {
          expr: `${info} * on (${process}) group_left (service_name, service_version) ${target} or on (${process}) ${info}`,
          instant: 'on',
        },
      ],
      columns: [
        { from: config.jobLabel, title: 'Job' },
        { from: config.instanceLabel, title: 'Instance' },
        { from: 'service_name', title: 'Service' },
        { from: 'service_version', title: 'Release' },
        { from: version, title: 'retryscope' },
      ],
      noValue: 'no process',
    },
  ];
}
