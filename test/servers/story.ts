import { Writable } from 'node:stream';
import { metrics, SpanStatusCode } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { createLogger, format, transports } from 'winston';
import { logTo } from '../../instrumentation/loggers/index.ts';
import { retryMetricProducer } from '../../instrumentation/opentelemetry/index.ts';

/** Collects the lines that winston writes, as JSON, until `stop`. */
export function recordLines(): { readonly lines: Record<string, unknown>[]; readonly stop: () => void } {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write: (chunk, _, done) => {
      lines.push(JSON.parse(String(chunk)) as Record<string, unknown>);
      done();
    },
  });
  const stop = logTo(createLogger({ format: format.json(), transports: [new transports.Stream({ stream })] }));
  return { lines, stop };
}

/** Registers the metrics, to be scraped from what this returns. */
export function startMetrics(): PrometheusExporter {
  const reader = new PrometheusExporter({
    preventServerStart: true,
    withoutScopeInfo: true,
    withoutTargetInfo: true,
    metricProducers: [retryMetricProducer()],
  });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  return reader;
}

/** A call that failed twice in the same way and succeeded in its third attempt. */
export interface Recovery {
  readonly operation: string;
  readonly errorType: string;
  readonly message: string;
  /** The two waits, in seconds. */
  readonly delays: readonly [number, number];
}

/** Everything that a call leaves behind, as tests expect it. */
export interface Traces {
  readonly lines: readonly object[];
  readonly spans: readonly object[];
  readonly samples: Readonly<Record<string, unknown>>;
}

/** What such a call leaves behind. */
export function tracesOf({ operation, errorType, message, delays: [first, second] }: Recovery): Traces {
  const spanIds = { trace_id: expect.stringMatching(/^[\da-f]{32}$/), span_id: expect.stringMatching(/^[\da-f]{16}$/) };
  const waits = (attempt: number, seconds: number) => ({
    level: 'warn',
    message: `Retry attempt ${attempt}/3 failed for ${operation}, waiting ${seconds.toFixed(2)}s`,
    operation,
    attempt,
    max_attempts: 3,
    delay_seconds: seconds,
    error: `${errorType}: ${message}`,
    ...spanIds,
  });
  const base = { 'retry.operation': operation, 'retry.max_attempts': 3 };
  const attempt = (number: number, delay: number, source: string) => ({
    name: `attempt ${operation}`,
    parent: `retry ${operation}`,
    attributes: { ...base, 'retry.attempt': number, 'retry.delay': delay, 'retry.delay.source': source },
  });
  const failed = (number: number, delay: number, source: string, nextDelay: number) => {
    const { attributes, ...span } = attempt(number, delay, source);
    const failure = { 'error.type': errorType, 'retry.error.class': 'transient', 'retry.next': 'retry' };
    return {
      ...span,
      status: { code: SpanStatusCode.ERROR, message },
      attributes: { ...attributes, ...failure, 'retry.next_delay': nextDelay },
    };
  };
  const status = { code: SpanStatusCode.UNSET };
  const waited = expect.closeTo(first + second);
  const of = `operation="${operation}"`;
  return {
    lines: [
      waits(1, first),
      waits(2, second),
      {
        level: 'info',
        message: `Retry succeeded for ${operation}`,
        operation,
        attempt: 3,
        max_attempts: 3,
        ...spanIds,
      },
    ],
    spans: [
      failed(1, 0, 'none', first),
      failed(2, first, 'backoff', second),
      { ...attempt(3, second, 'backoff'), status },
      {
        name: `retry ${operation}`,
        parent: undefined,
        status,
        attributes: {
          ...base,
          'retry.attempts': 3,
          'retry.outcome': 'success_after_retry',
          'retry.total_delay': waited,
        },
      },
    ],
    samples: {
      [`retry_calls_total{${of},outcome="success_after_retry"}`]: 1,
      [`retry_calls_total{${of},outcome="success"}`]: 0,
      [`retry_calls_total{${of},outcome="attempts_exhausted"}`]: 0,
      [`retry_attempts_total{error_type="${errorType}",${of},result="failure"}`]: 2,
      [`retry_attempts_total{${of},result="success"}`]: 1,
      [`retry_retries_total{delay_source="backoff",${of}}`]: 2,
      [`retry_delay_seconds_count{${of}}`]: 2,
      [`retry_delay_seconds_sum{${of}}`]: waited,
      [`retry_call_duration_seconds_sum{${of},result="success"}`]: waited,
      [`retry_call_attempts_sum{${of},result="success"}`]: 3,
      [`retry_calls_in_flight{${of},phase="waiting"}`]: 0,
    },
  };
}
