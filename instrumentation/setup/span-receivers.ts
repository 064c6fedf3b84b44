import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  BatchSpanProcessor,
  ConsoleSpanExporter,
  SimpleSpanProcessor,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import { counted } from './counted-exporter.ts';
import { limit, listOf, warnOfProtocol } from './environment.ts';

/**
 * Who gets the spans, by the environment: what `OTEL_TRACES_EXPORTER` names (`otlp`, `console`, `none`), else the
 * collector whose endpoint is set, else nobody. The SDK left to itself would send to localhost:4318, whether or not
 * somebody listens there.
 */
export function spanReceiversFromEnvironment(): SpanProcessor[] {
  const named = listOf(process.env.OTEL_TRACES_EXPORTER);
  if (named.includes('none')) return [];
  const wanted = named.length > 0 ? named : isOtlpEndpointSet() ? ['otlp'] : [];
  return [
    ...(wanted.includes('otlp') ? [otlpProcessor()] : []),
    ...(wanted.includes('console') ? [new SimpleSpanProcessor({ exporter: counted(new ConsoleSpanExporter()) })] : []),
  ];
}

/** True when the environment names a collector. */
function isOtlpEndpointSet(): boolean {
  const { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT } = process.env;
  return Boolean(OTEL_EXPORTER_OTLP_ENDPOINT || OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
}

function otlpProcessor(): SpanProcessor {
  warnOfProtocol('spans', process.env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL);
  return new BatchSpanProcessor({
    exporter: counted(new OTLPTraceExporter()),
    ...limit('maxQueueSize', process.env.OTEL_BSP_MAX_QUEUE_SIZE),
    ...limit('scheduledDelayMillis', process.env.OTEL_BSP_SCHEDULE_DELAY),
    ...limit('exportTimeoutMillis', process.env.OTEL_BSP_EXPORT_TIMEOUT),
    ...limit('maxExportBatchSize', process.env.OTEL_BSP_MAX_EXPORT_BATCH_SIZE),
  });
}
