import type { Rule } from '../finding.ts';
import { type MetricsView, series } from '../metrics-view.ts';

/** Metrics of something else. */
export const noMetrics: Rule<MetricsView> = {
  code: 'no-metrics',
  severity: 'error',
  why: 'Nobody is told of retries in a process that does not show them.',
  fix: 'Start them as the README tells (startTelemetry, retryMetricProducer or registerRetryMetrics), and ask the port that they are on.',
  find: view =>
    view.of('info').length > 0
      ? []
      : [{ where: series('info'), what: `It is not among the ${view.names.size} names that are there.` }],
};
