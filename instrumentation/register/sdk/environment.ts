/** What the standard variables of OpenTelemetry ask of a process that has no SDK of its own. */
export interface TelemetryWish {
  /** Whether an SDK is wanted at all. */
  readonly sdk: boolean;
  /** Whether `/metrics` is to be served. */
  readonly metricsServer: boolean;
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
    unknownExporters: metrics.filter(name => name !== 'none' && name !== 'prometheus'),
  };
}

const ENDPOINTS = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
  'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT',
];

function listOf(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map(name => name.trim().toLowerCase())
    .filter(name => name !== '');
}
