import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { ATTRIBUTES, LOG_FIELDS } from '../../instrumentation/names.ts';
import type { DashboardsConfig } from './config.ts';
import { choice, dashboard, inProcess, values } from './frame.ts';
import { Queries, ratio } from './queries.ts';
import { label, OUTCOMES } from './series.ts';

/** "Why is this one retrying?" */
export function operationDashboard(config: DashboardsConfig): Dashboard {
  const ask = new Queries(config);
  const operation = label('operation');
  const errorType = label('errorType');
  const delaySource = label('delaySource');
  return dashboard(config, {
    uid: 'retry-operation',
    title: 'Retry / Operation',
    description: 'Why is this one retrying?',
    variables: [choice('operation', 'Operation', values(config, operation, inProcess(config), 'calls'))],
    rows: [
      {
        title: 'Attempts',
        panels: [
          {
            kind: 'lines',
            title: 'Attempts per call',
            description:
              'The mean, by operation. 1 means that nothing is retried; the closer to maxAttempts, the longer the outage behind it.',
            unit: 'none',
            width: 8,
            thresholds: { worse: 'high', warn: 1.1, bad: 2 },
            queries: [
              {
                expr: ratio(
                  ask.rate(ask.ofOperations('callAttempts', [], 'sum'), operation),
                  ask.rate(ask.ofOperations('callAttempts', [], 'count'), operation),
                ),
                legend: `{{${operation}}}`,
              },
            ],
            noValue: 'no calls yet',
          },
          {
            kind: 'stacked',
            title: 'Failed attempts by error',
            description:
              'What the attempts failed with. Follow a dot to a trace. If most are permanent (4xx, validation), mark them as not retryable.',
            unit: 'ops',
            width: 8,
            queries: [
              {
                expr: ask.rate(ask.ofOperations('attempts', [`${label('result')}="failure"`]), errorType),
                legend: `{{${errorType}}}`,
                exemplars: 'on',
              },
            ],
            noValue: 'nothing failed',
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
        ],
      },
      {
        title: 'Time',
        panels: [
          {
            kind: 'heatmap',
            title: 'Time of a call',
            description:
              'How the calls spread, retries and delays included. A second band above the first is the calls that were retried. Follow a dot to a trace.',
            unit: 's',
            width: 8,
            queries: [
              {
                expr: ask.rate(ask.ofOperations('callDuration', [], 'bucket'), 'le'),
                legend: '{{le}}',
                exemplars: 'on',
              },
            ],
          },
          {
            kind: 'heatmap',
            title: 'Delay before a retry',
            description:
              'How long retries wait. All at one height means no jitter: retries then come together and hit the dependency at once.',
            unit: 's',
            width: 8,
            queries: [{ expr: ask.rate(ask.ofOperations('delay', [], 'bucket'), 'le'), legend: '{{le}}' }],
          },
          {
            kind: 'lines',
            title: 'Time of an attempt, and delay',
            description:
              'p99 of an attempt against its time-out: where they meet, the time-out is too short, or the dependency too slow. p99 of the delay stays below maxDelay.',
            unit: 's',
            width: 8,
            queries: [
              { expr: ask.quantile(0.5, 'attemptDuration'), legend: 'attempt p50' },
              { expr: ask.quantile(0.99, 'attemptDuration'), legend: 'attempt p99', exemplars: 'on' },
              { expr: ask.quantile(0.5, 'delay'), legend: 'delay p50' },
              { expr: ask.quantile(0.99, 'delay'), legend: 'delay p99' },
            ],
            noValue: 'no calls yet',
          },
        ],
      },
      {
        title: 'Outcome',
        panels: [
          {
            kind: 'stacked',
            title: 'Calls that failed, by reason',
            description:
              'Why calls stopped without success. The word is that of the error summary, the span and the log line; the README says what each means.',
            unit: 'reqps',
            width: 8,
            queries: [
              {
                expr: ask.rate(
                  ask.ofOperations('calls', [`${label('outcome')}!~"${OUTCOMES.succeeded.join('|')}"`]),
                  label('outcome'),
                ),
                legend: `{{${label('outcome')}}}`,
                exemplars: 'on',
              },
            ],
            noValue: 'nothing failed',
          },
          {
            kind: 'lines',
            title: 'Calls in flight',
            description:
              'Calls in an attempt, and calls that wait for the next. When the waiting ones pile up, callers pile up behind them: fail faster, or shed load.',
            unit: 'short',
            width: 8,
            queries: [
              {
                expr: `sum by (${label('phase')}) (${ask.ofOperations('callsInFlight')})`,
                legend: `{{${label('phase')}}}`,
              },
            ],
            noValue: 'no calls yet',
          },
          {
            kind: 'lines',
            title: 'Left to others, and too late',
            description:
              'Retries left to the layer nearest to the failure, and attempts that settled after their call had gone. Many late ones: the function ignores its signal.',
            unit: 'ops',
            width: 8,
            queries: [
              {
                expr: ask.rate(ask.ofOperations('nestedSuppressed'), operation),
                legend: `left to another layer: {{${operation}}}`,
              },
              {
                expr: ask.rate(ask.ofOperations('lateResults'), label('result')),
                legend: `late {{${label('result')}}}`,
              },
            ],
            noValue: 'none',
          },
        ],
      },
      {
        title: 'Traces and logs',
        panels: [
          {
            kind: 'traces',
            title: 'Traces with retries',
            description:
              'The latest traces with a second attempt. Open one to see what each attempt met, and how long it waited.',
            unit: 'none',
            width: 12,
            queries: [
              {
                expr: `{span.${ATTRIBUTES.operation}=~"$operation" && span.${ATTRIBUTES.attempt}>1}`,
              },
            ],
          },
          {
            kind: 'logs',
            title: 'Log lines',
            description: 'What the loggers of the library wrote for these operations. Each line has its trace_id.',
            unit: 'none',
            width: 12,
            queries: [
              { expr: `{service_name=~".+"} | ${LOG_FIELDS.operation}=~"$operation" | ${LOG_FIELDS.traceId}!=""` },
            ],
          },
        ],
      },
    ],
  });
}
