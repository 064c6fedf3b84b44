import { context, metrics, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

/** Registers an SDK whose spans go nowhere, and whose metrics are collected when somebody asks. */
export function startSdk(metricProducers: unknown[] = []): void {
  const drop: SpanProcessor = {
    onStart: () => undefined,
    onEnd: () => undefined,
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [drop] }));
  const reader = new PrometheusExporter({ preventServerStart: true, metricProducers: metricProducers as never });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
}

/** What people write today: the same two spans with the same attributes, one counter and one histogram. */
export function byHand(fn: () => Promise<number>): () => Promise<number> {
  const tracer = trace.getTracer('hand');
  const meter = metrics.getMeter('hand');
  const calls = meter.createCounter('calls');
  const duration = meter.createHistogram('duration', { unit: 's' });
  return () =>
    tracer.startActiveSpan(
      'retry bench',
      { attributes: { 'retry.operation': 'bench', 'retry.max_attempts': 3 } },
      async call => {
        const start = performance.now();
        try {
          const value = await tracer.startActiveSpan(
            'attempt bench',
            {
              attributes: {
                'retry.operation': 'bench',
                'retry.attempt': 1,
                'retry.max_attempts': 3,
                'retry.delay': 0,
                'retry.delay.source': 'none',
              },
            },
            attempt => attempted(attempt, fn),
          );
          call.setAttribute('retry.attempts', 1);
          call.setAttribute('retry.outcome', 'success');
          call.setAttribute('retry.total_delay', 0);
          return value;
        } finally {
          calls.add(1, { operation: 'bench', outcome: 'success' });
          duration.record((performance.now() - start) / 1000, { operation: 'bench', result: 'success' });
          call.end();
        }
      },
    );
}

async function attempted(span: Span, fn: () => Promise<number>): Promise<number> {
  try {
    return await fn();
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

/** Runs `fn` under a parent span that is not sampled. */
export function underUnsampledParent(fn: () => Promise<unknown>): () => Promise<unknown> {
  const parent = trace.setSpanContext(context.active(), {
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
    traceFlags: 0,
  });
  return () => context.with(parent, fn);
}
