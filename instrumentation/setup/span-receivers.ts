import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  BatchSpanProcessor,
  ConsoleSpanExporter,
  SimpleSpanProcessor,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';

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
    ...(wanted.includes('console') ? [new SimpleSpanProcessor({ exporter: new ConsoleSpanExporter() })] : []),
  ];
}

/** True when the environment names a collector. */
export function isOtlpEndpointSet(): boolean {
  const { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT } = process.env;
  return Boolean(OTEL_EXPORTER_OTLP_ENDPOINT || OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
}

const PROTOCOL = 'http/protobuf';

function otlpProcessor(): SpanProcessor {
  const { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, OTEL_EXPORTER_OTLP_PROTOCOL } = process.env;
  const protocol = (OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || OTEL_EXPORTER_OTLP_PROTOCOL || PROTOCOL).trim();
  if (protocol !== PROTOCOL) {
    process.emitWarning(`startTelemetry sends spans by ${PROTOCOL}; it does not know the protocol ${protocol}`, {
      type: 'RetryscopeWarning',
      code: 'RETRYSCOPE_OTLP_PROTOCOL',
    });
  }
  return new BatchSpanProcessor({
    exporter: new OTLPTraceExporter(),
    ...limit('maxQueueSize', process.env.OTEL_BSP_MAX_QUEUE_SIZE),
    ...limit('scheduledDelayMillis', process.env.OTEL_BSP_SCHEDULE_DELAY),
    ...limit('exportTimeoutMillis', process.env.OTEL_BSP_EXPORT_TIMEOUT),
    ...limit('maxExportBatchSize', process.env.OTEL_BSP_MAX_EXPORT_BATCH_SIZE),
  });
}

/** A limit that the environment sets to a number from 0 up; anything else is the same as absent. */
function limit<Name extends string>(name: Name, value: string | undefined): { [name in Name]?: number } {
  const number = value === undefined || value.trim() === '' ? Number.NaN : Number(value);
  return (number >= 0 ? { [name]: number } : {}) as { [name in Name]?: number };
}

function listOf(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '');
}
