import type { MetricReader } from '@opentelemetry/sdk-metrics';
import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import type { AnyLogger } from '../loggers/index.ts';
import type { PrometheusAddress } from './metrics-server.ts';

/** What `startTelemetry` starts, where it is not to be the default. */
export interface TelemetryOptions {
  /** The `service.name` of spans. Default `OTEL_SERVICE_NAME`, else what the SDK calls an unknown service. */
  readonly serviceName?: string;
  /** Where `/metrics` is served, or `'mount'` to serve it yourself with `metricsHandler`. Default the variables. */
  readonly prometheus?: PrometheusAddress | 'mount';
  /** Receive every span, beside an OTLP exporter that the environment asks for. Default none. */
  readonly spanProcessors?: readonly SpanProcessor[];
  /**
   * Read the metrics, beside `/metrics` and an exporter that the environment asks for. Ours reach one that was made with
   * `metricProducers: [retryMetricProducer()]`. Default none.
   */
  readonly metricReaders?: readonly MetricReader[];
  /** Instrumentations of other libraries. Default none. */
  readonly instrumentations?: NodeSDKConfiguration['instrumentations'];
  /** Gets a line for each retry; see `logTo`. Default none. */
  readonly logger?: AnyLogger;
  /** How long `shutdown` may take, in milliseconds. Default 5000. */
  readonly shutdownTimeout?: number;
}
