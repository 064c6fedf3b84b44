import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { ConsoleMetricExporter, type MetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { retryMetricProducer } from '../opentelemetry/index.ts';
import { counted } from './counted-exporter.ts';
import { limit, listOf, warnOfProtocol } from './environment.ts';

/**
 * Who is sent the metrics, by the environment: what `OTEL_METRICS_EXPORTER` names (`otlp`, `console`), else the
 * collector that `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT` names, else nobody. `OTEL_EXPORTER_OTLP_ENDPOINT` alone is not
 * enough: whoever scrapes `/metrics` as well would have them twice.
 */
export function metricReadersFromEnvironment(): MetricReader[] {
  const named = listOf(process.env.OTEL_METRICS_EXPORTER);
  if (named.includes('none')) return [];
  const hasEndpoint = Boolean(process.env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT);
  const wanted = named.length > 0 ? named : hasEndpoint ? ['otlp'] : [];
  return [
    ...(wanted.includes('otlp') ? [otlpMetricReader()] : []),
    ...(wanted.includes('console') ? [periodic(new ConsoleMetricExporter())] : []),
  ];
}

/** Sends the metrics to the collector that the environment names, by http/protobuf. */
export function otlpMetricReader(): MetricReader {
  warnOfProtocol('metrics', process.env.OTEL_EXPORTER_OTLP_METRICS_PROTOCOL);
  return periodic(new OTLPMetricExporter());
}

function periodic(exporter: OTLPMetricExporter | ConsoleMetricExporter): MetricReader {
  return new PeriodicExportingMetricReader({
    exporter: counted(exporter),
    metricProducers: [retryMetricProducer()],
    ...limit('exportIntervalMillis', process.env.OTEL_METRIC_EXPORT_INTERVAL),
    ...limit('exportTimeoutMillis', process.env.OTEL_METRIC_EXPORT_TIMEOUT),
  });
}
