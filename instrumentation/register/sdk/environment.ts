import { listOf } from '../../setup/environment.ts';

/** What the standard variables of OpenTelemetry ask of a process that has no SDK of its own. */
export interface TelemetryWish {
  /** Whether an SDK is wanted at all. */
  readonly sdk: boolean;
  /** Whether `/metrics` is to be served. */
  readonly metricsServer: boolean;
  /** Metrics go to the collector that is named for everything, since nothing else is said of them. */
  readonly otlpMetrics: boolean;
  /** Exporters of metrics that are named and that the SDK started here has not. */
  readonly unknownExporters: readonly string[];
}

/** Reads the wish from the environment. */
export function telemetryWish(env: Readonly<Record<string, string | undefined>>): TelemetryWish {
  const metrics = listOf(env.OTEL_METRICS_EXPORTER);
  const named = [...listOf(env.OTEL_TRACES_EXPORTER), ...metrics, ...listOf(env.OTEL_LOGS_EXPORTER)];
  const isOff = env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true';
  const hasPort = Boolean(env.OTEL_EXPORTER_PROMETHEUS_PORT);
  const isAsked = hasPort || named.some(name => name !== 'none') || ENDPOINTS.some(name => Boolean(env[name]));
  return {
    sdk: isAsked && !isOff,
    metricsServer: metrics.includes('prometheus') || (hasPort && !metrics.includes('none')),
    otlpMetrics:
      metrics.length === 0 &&
      !hasPort &&
      Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT) &&
      !env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT,
    unknownExporters: metrics.filter(name => !KNOWN.includes(name)),
  };
}

const KNOWN = ['none', 'prometheus', 'otlp', 'console'];

const ENDPOINTS = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
  'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT',
];
