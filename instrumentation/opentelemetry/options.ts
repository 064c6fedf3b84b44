import type { MeterProvider, TracerProvider } from '@opentelemetry/api';

/** How calls are shown in OpenTelemetry. */
export interface OpenTelemetryOptions {
  /**
   * Which attempts get a span: `'always'` (default), only `'retries'` (attempt 2 and later), or `'never'`. Without a
   * span of its own an attempt runs in the context of the call span.
   */
  readonly attemptSpans?: 'always' | 'retries' | 'never';
  /**
   * `'auto'` (default): through the registered MeterProvider, unless a reader takes the numbers through
   * `retryMetricProducer`. `'none'`: not through a MeterProvider; other readers of the numbers still get them.
   */
  readonly metrics?: 'auto' | 'none';
  /** In place of the globally registered one. */
  readonly tracerProvider?: TracerProvider;
  /** In place of the globally registered one. */
  readonly meterProvider?: MeterProvider;
}
