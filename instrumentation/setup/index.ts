import type { IncomingMessage, ServerResponse } from 'node:http';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { envDetector, type ResourceDetector, serviceInstanceIdDetector } from '@opentelemetry/resources';
import { NodeSDK, type NodeSDKConfiguration } from '@opentelemetry/sdk-node';
import { reportFault } from '../../src/engine/faults.ts';
import { systemClock } from '../../src/engine/system-clock.ts';
import { logTo } from '../loggers/index.ts';
import { retryContextProcessor, retryMetricProducer } from '../opentelemetry/index.ts';
import { checkTelemetryOptions } from './check-telemetry-options.ts';
import { metricReadersFromEnvironment } from './metric-receivers.ts';
import { type MetricsServer, openMetricsServer } from './metrics-server.ts';
import { spanReceiversFromEnvironment } from './span-receivers.ts';
import { startNodeSdk } from './start-node-sdk.ts';
import type { TelemetryOptions } from './telemetry-options.ts';

export { otlpMetricReader } from './metric-receivers.ts';
export type { PrometheusAddress } from './metrics-server.ts';
export type { TelemetryOptions } from './telemetry-options.ts';

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
 * @throws TypeError or RangeError before anything is started, naming the option, the value and what is allowed
 *
 * @example
 * ```ts
 * const telemetry = startTelemetry({ serviceName: 'checkout' });
 * process.once('SIGTERM', () => telemetry.shutdown());
 * ```
 */
export function startTelemetry(options: TelemetryOptions = {}): Telemetry {
  checkTelemetryOptions(options);
  const { shutdownTimeout = 5000 } = options;
  // First, for it refuses what is no logger.
  const stopLogging = options.logger === undefined ? undefined : logTo(options.logger);
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
  startNodeSdk(sdk);
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
