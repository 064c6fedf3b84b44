import * as api from '@opentelemetry/api';
import { VERSION } from '../../src/engine/version.ts';
import { type LoggingOptions, type LogLevel, type LogRecord, logTo } from '../loggers/index.ts';
import { LOG_FIELDS, SCOPE_NAME } from '../names.ts';

/**
 * Lets every policy without an `observer` of its own write its log lines as OpenTelemetry log records, linked to the
 * span of their call, through whichever LoggerProvider is registered. Returns the function that ends it.
 *
 * @throws TypeError when `@opentelemetry/api` is older than 1.10, which has no log records
 *
 * @example
 * ```ts
 * logToOpenTelemetry({ levels: { succeeded: 'off' } });
 * ```
 */
export function logToOpenTelemetry(options?: LoggingOptions): () => void {
  if (!('logs' in api)) throw new TypeError('logToOpenTelemetry needs @opentelemetry/api 1.10 or later');
  return logTo(emit, options);
}

/** Severity numbers of the OpenTelemetry log data model. */
const SEVERITY: Readonly<Record<LogLevel, number>> = { debug: 5, info: 9, warn: 13, error: 17 };

function emit({ level, message, fields }: LogRecord): void {
  const { [LOG_FIELDS.traceId]: traceId, [LOG_FIELDS.spanId]: spanId, ...attributes } = fields;
  // Asked for anew with each line: a logger from before the SDK's start would be dead for ever.
  api.logs.getLogger(SCOPE_NAME, VERSION).emit({
    severityNumber: SEVERITY[level],
    severityText: level.toUpperCase(),
    body: message,
    attributes: attributes as Record<string, string | number>,
    context: contextOf(traceId, spanId),
  });
}

/** The span is not active where its log lines are written, but its identity is in them. */
function contextOf(traceId: unknown, spanId: unknown): api.Context {
  if (typeof traceId !== 'string' || typeof spanId !== 'string') return api.ROOT_CONTEXT;
  return api.trace.setSpanContext(api.ROOT_CONTEXT, { traceId, spanId, traceFlags: api.TraceFlags.SAMPLED });
}
