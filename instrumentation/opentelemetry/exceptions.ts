import type { Context, Span } from '@opentelemetry/api';
import * as api from '@opentelemetry/api';
import { describeError, type ErrorDescription } from '../../src/engine/describe-error.ts';
import { reportFault } from '../../src/engine/faults.ts';
import { VERSION } from '../../src/engine/version.ts';
import { ATTRIBUTES, EVENTS, SCOPE_NAME } from '../names.ts';

/**
 * Records what a call gave up with, once. `OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN` says how: a span event by default,
 * a log record for `logs`, both for `logs/dup` (semantic conventions, exceptions). Where nobody takes log records it is
 * the span event all the same. The record is a warning: the caller, who gets the error, knows better how bad it is.
 */
export function recordException(span: Span, context: Context, error: unknown): void {
  const optIn = (process.env.OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN ?? '').split(',').map(value => value.trim());
  const asBoth = optIn.includes('logs/dup');
  const attributes = attributesOf(describeError(error));
  const isLogged = (asBoth || optIn.includes('logs')) && emitLog(context, attributes) === 'taken';
  if (!isLogged || asBoth) span.addEvent(EVENTS.exception, attributes);
}

const WARN = 13;

function emitLog(context: Context, attributes: Record<string, string>): 'taken' | 'not taken' {
  // API 1.9 has no logs; a named import of them would not even load there.
  if (!('logs' in api)) return 'not taken';
  try {
    const logger = api.logs.getLogger(SCOPE_NAME, VERSION);
    const record = { eventName: EVENTS.exceptionLog, severityNumber: WARN, context };
    if (logger.enabled?.(record) === false) return 'not taken';
    logger.emit({ ...record, severityText: 'WARN', attributes });
    return 'taken';
  } catch (fault) {
    reportFault('logger', fault);
    return 'not taken';
  }
}

function attributesOf({ type, message, stack }: ErrorDescription): Record<string, string> {
  return {
    [ATTRIBUTES.exceptionType]: type,
    [ATTRIBUTES.exceptionMessage]: message,
    ...(stack === undefined ? undefined : { [ATTRIBUTES.exceptionStacktrace]: stack }),
  };
}
