import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { ALERTS } from './alert-names.ts';
import type { DashboardsConfig } from './config.ts';
import { choice, dashboard, inJob, inProcess, values } from './frame.ts';
import { Queries } from './queries.ts';
import { label, OUTCOMES } from './series.ts';

/** "Are my calls fine, and do retries help?" */
export function overviewDashboard(config: DashboardsConfig): Dashboard {
  const ask = new Queries(config);
  const operation = label('operation');
  const toOperation = {
    title: 'Why is this one retrying?',
    url: `/d/retry-operation?var-job=$job&var-operation=\${__data.fields.Operation}&\${__url_time_range}`,
  };
  return dashboard(config, {
    uid: 'retry-overview',
    title: 'Retry / Overview',
    description: 'Are my calls fine, and do retries help?',
    variables: [choice('operation', 'Operation', values(config, operation, inProcess(config), 'calls'))],
    rows: [
      {
        title: 'Now',
        panels: [
          {
            kind: 'stat',
            title: 'Calls',
            description:
              'Calls that end in a second. A sudden fall is as telling as a rise: look for what stopped calling.',
            unit: 'reqps',
            width: 4,
            queries: [{ expr: ask.calls() }],
            noValue: 'none',
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
          },
          {
            kind: 'stat',
            title: 'Recovered by retries',
            description:
              'Of the calls that were retried, those that then succeeded. Where it is low, retries only add load: find out whether their errors are permanent.',
            unit: 'percentunit',
            width: 4,
            thresholds: { worse: 'low', warn: 0.6, bad: 0.2 },
            queries: [{ expr: ask.recovered() }],
            noValue: 'no retries',
          },
          {
            kind: 'stat',
            title: 'Attempts per call',
            description:
              'What load the dependencies see for each call. Above 1.1 a budget should hold it down; at 2 retries are a storm of their own.',
            unit: 'none',
            width: 4,
            thresholds: { worse: 'high', warn: 1.1, bad: 2 },
            queries: [{ expr: ask.amplification() }],
            noValue: 'no calls',
          },
          {
            kind: 'stat',
            title: 'Least budget left',
            description:
              'The emptiest of the retry budgets. Once it is empty, failed calls get no retry: see Protection for which one, and cure what fails.',
            unit: 'percentunit',
            width: 4,
            thresholds: { worse: 'low', warn: 0.5, bad: 0.25 },
            queries: [{ expr: `min(${ask.ofProcesses('budgetTokens')} / (${ask.ofProcesses('budgetCapacity')} > 0))` }],
            noValue: 'no budget',
          },
          {
            kind: 'stat',
            title: 'Circuits not closed',
            description:
              'Circuit breakers that keep calls from a dependency, in all processes. Any is worth a look: see Protection for which.',
            unit: 'none',
            width: 4,
            thresholds: { worse: 'high', warn: 1, bad: 1 },
            queries: [
              { expr: `sum(${ask.ofProcesses('breakerState', [`${label('state')}=~"open|half_open|forced_open"`])})` },
            ],
            noValue: 'no breaker',
          },
        ],
      },
      {
        title: 'Calls',
        panels: [
          {
            kind: 'stacked',
            title: 'Calls by outcome',
            description:
              'What became of the calls. success_after_retry is what retries saved; everything below it that is not success reached a caller as an error.',
            unit: 'reqps',
            width: 12,
            queries: [
              { expr: ask.calls(undefined, label('outcome')), legend: `{{${label('outcome')}}}`, exemplars: 'on' },
            ],
            noValue: 'no calls yet',
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
              ...(q === 0.99 ? { exemplars: 'on' as const } : undefined),
            })),
            noValue: 'no calls yet',
          },
        ],
      },
      {
        title: 'Retries',
        panels: [
          {
            kind: 'lines',
            title: 'Retries per call, beside the objective',
            description:
              'Each operation, and the objective that its burn-rate alert compares it with. An operation that stays above its line will page: find its error below.',
            unit: 'percentunit',
            width: 12,
            queries: [
              { expr: ask.retriesPerCall(operation), legend: `{{${operation}}}` },
              {
                expr: `max by (${operation}) (${ask.ofOperations('objectiveRatio')})`,
                legend: `objective of {{${operation}}}`,
              },
            ],
            noValue: 'no retries',
          },
          {
            kind: 'lines',
            title: 'Failed attempts by error',
            description:
              'Why there are retries. One kind from one dependency is an outage there; many kinds are the network, or this service itself.',
            unit: 'ops',
            width: 12,
            queries: [
              {
                expr: ask.rate(ask.ofOperations('attempts', [`${label('result')}="failure"`]), label('errorType')),
                legend: `{{${label('errorType')}}}`,
                exemplars: 'on',
              },
            ],
            noValue: 'nothing failed',
          },
        ],
      },
      {
        title: 'What retries bought, and what they cost',
        panels: [
          {
            kind: 'stat',
            title: 'Calls saved',
            description:
              'Calls in this time that failed at first and then succeeded. Without retries these were errors.',
            unit: 'short',
            width: 6,
            queries: [
              {
                expr: `sum(increase(${ask.ofOperations('calls', [`${label('outcome')}="${OUTCOMES.recovered[0]}"`])}[$__range]))`,
                instant: 'on',
              },
            ],
            noValue: 'none',
          },
          {
            kind: 'stat',
            title: 'Time that callers waited',
            description:
              'Delays between attempts, of all calls together. It is what the saved calls cost their callers: lower maxDelay where that is too much.',
            unit: 's',
            width: 6,
            queries: [{ expr: `sum(increase(${ask.ofOperations('delay', [], 'sum')}[$__range]))`, instant: 'on' }],
            noValue: 'none',
          },
          {
            kind: 'stat',
            title: 'Extra load',
            description:
              'Retries for each call, which is what the dependencies had to carry on top. A budget bounds it.',
            unit: 'percentunit',
            width: 6,
            thresholds: { worse: 'high', warn: 0.1, bad: 0.5 },
            queries: [
              {
                expr: `sum(increase(${ask.ofOperations('retries')}[$__range])) / (sum(increase(${ask.ofOperations('calls')}[$__range])) > 0)`,
                instant: 'on',
              },
            ],
            noValue: 'none',
          },
          {
            kind: 'stat',
            title: 'Share of time spent waiting',
            description:
              'Of the time of all calls, what was delay and not work. Above a half, callers mostly wait for retries that may not help.',
            unit: 'percentunit',
            width: 6,
            thresholds: { worse: 'high', warn: 0.25, bad: 0.5 },
            queries: [{ expr: ask.delayShare() }],
            noValue: 'no calls',
          },
        ],
      },
      {
        title: 'Who',
        panels: [
          {
            kind: 'table',
            title: 'Operations',
            description: 'Every operation now. A click leads to its own dashboard. Start with the lowest success.',
            unit: 'none',
            width: 15,
            link: toOperation,
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
            noValue: 'no calls yet',
          },
          {
            kind: 'table',
            title: 'Firing alerts',
            description: 'What is on now. A click opens the runbook of the alert.',
            unit: 'none',
            width: 9,
            link: {
              title: 'Runbook',
              url: `${config.runbookBase.replace(/\/$/, '')}/\${__data.fields.Alert}.md`,
            },
            queries: [
              {
                expr: `ALERTS{alertname=~"${ALERTS.join('|')}", alertstate="firing", ${inJob(config)}}`,
                instant: 'on',
              },
            ],
            columns: [
              { from: 'alertname', title: 'Alert' },
              { from: 'severity', title: 'Severity' },
              { from: operation, title: 'Operation' },
              { from: label('breaker'), title: 'Breaker' },
              { from: label('budget'), title: 'Budget' },
            ],
            noValue: 'nothing fires',
          },
        ],
      },
    ],
  });
}
