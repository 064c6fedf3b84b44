import type { IncomingMessage, ServerResponse } from 'node:http';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { envDetector, type ResourceDetector, serviceInstanceIdDetector } from '@opentelemetry/resources';
import type { MetricReader } from '@opentelemetry/sdk-metrics';
import { NodeSDK, type NodeSDKConfiguration } from '@opentelemetry/sdk-node';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { reportFault } from '../../src/engine/faults.ts';
import { systemClock } from '../../src/engine/system-clock.ts';
import { type AnyLogger, logTo } from '../loggers/index.ts';
import { retryContextProcessor, retryMetricProducer } from '../opentelemetry/index.ts';
import { metricReadersFromEnvironment } from './metric-receivers.ts';
import { type MetricsServer, openMetricsServer, type PrometheusAddress } from './metrics-server.ts';
import { isOtlpEndpointSet, spanReceiversFromEnvironment } from './span-receivers.ts';

export { otlpMetricReader } from './metric-receivers.ts';
export type { PrometheusAddress } from './metrics-server.ts';

/** What {@link startTelemetry} starts, where it is not to be the default. */
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

/** What is running. */
export interface Telemetry {
  /** Answers a request with the metrics, for a server of your own. */
  readonly metricsHandler: (request: IncomingMessage, response: ServerResponse) => void;
  /**
   * Resolves with the address of `/metrics` once it is served; with undefined for `'mount'`. Rejects when the port is
   * taken, which is also said in a process warning: the service itself goes on.
   */
  readonly ready: Promise<string | undefined>;
  /** Flushes and stops everything. Never rejects, and never takes longer than `shutdownTimeout`. */
  shutdown(): Promise<void>;
}

/**
 * Starts OpenTelemetry for this process: spans, and `/metrics` for Prometheus. Spans go to an OTLP collector (by
 * http/protobuf) only when `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or
 * `OTEL_TRACES_EXPORTER=otlp` asks for it, and metrics when `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT` or
 * `OTEL_METRICS_EXPORTER=otlp` does.
 *
 * @throws RangeError when a port or the timeout is out of range
 *
 * @example
 * ```ts
 * const telemetry = startTelemetry({ serviceName: 'checkout' });
 * process.once('SIGTERM', () => telemetry.shutdown());
 * ```
 */
export function startTelemetry(options: TelemetryOptions = {}): Telemetry {
  const { shutdownTimeout = 5000 } = options;
  if (!(shutdownTimeout >= 0 && shutdownTimeout <= 600_000)) {
    throw new RangeError(`shutdownTimeout is ${shutdownTimeout}; it must be a number of milliseconds from 0 to 600000`);
  }
  const exporter = new PrometheusExporter({
    preventServerStart: true,
    withoutScopeInfo: true,
    // Service and release, for dashboards; other detectors than ours would publish the command line there.
    withoutTargetInfo: Boolean(process.env.OTEL_NODE_RESOURCE_DETECTORS),
    metricProducers: [retryMetricProducer()],
  });
  const metricsHandler = (request: IncomingMessage, response: ServerResponse): void =>
    exporter.getMetricsRequestHandler(request, response);
  const server =
    options.prometheus === 'mount' ? undefined : openMetricsServer(options.prometheus ?? {}, metricsHandler);
  const sdk = new NodeSDK(sdkConfiguration(options, exporter));
  sdk.start();
  const stopLogging = options.logger === undefined ? undefined : logTo(options.logger);
  return {
    metricsHandler,
    ready: server?.ready ?? Promise.resolve(undefined),
    shutdown: async () => {
      stopLogging?.();
      await shutDown(sdk, server, shutdownTimeout);
    },
  };
}

function sdkConfiguration(options: TelemetryOptions, exporter: PrometheusExporter): Partial<NodeSDKConfiguration> {
  const receivers = [...spanReceiversFromEnvironment(), ...(options.spanProcessors ?? [])];
  return {
    ...(options.serviceName === undefined ? undefined : { serviceName: options.serviceName }),
    // The other detectors publish the command line, the host and the user.
    ...(process.env.OTEL_NODE_RESOURCE_DETECTORS ? undefined : { resourceDetectors: DETECTORS }),
    metricReaders: [exporter, ...metricReadersFromEnvironment(), ...(options.metricReaders ?? [])],
    // Spans that nobody receives would only cost time.
    spanProcessors: receivers.length === 0 ? [] : [retryContextProcessor(), ...receivers],
    // Left to itself the SDK sends log records to localhost:4318, whether or not somebody listens there.
    ...(isOtlpEndpointSet() || process.env.OTEL_LOGS_EXPORTER ? undefined : { logRecordProcessors: [] }),
    ...(options.instrumentations === undefined ? undefined : { instrumentations: options.instrumentations }),
  };
}

const DETECTORS: ResourceDetector[] = [envDetector, serviceInstanceIdDetector];

async function shutDown(sdk: NodeSDK, server: MetricsServer | undefined, limit: number): Promise<void> {
  const work = Promise.allSettled([sdk.shutdown(), server?.close()]).then(results => {
    for (const result of results) if (result.status === 'rejected') reportFault('exporter', result.reason);
  });
  let cancel: (() => void) | undefined;
  const timeout = new Promise<void>(resolve => {
    cancel = systemClock.timer(limit, resolve, 'ref');
  });
  await Promise.race([work, timeout]);
  cancel?.();
}
