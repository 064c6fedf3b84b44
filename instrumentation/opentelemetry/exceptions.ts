import type { Context, Span } from '@opentelemetry/api';
import * as api from '@opentelemetry/api';
import { describeError, type ErrorDescription } from '../../src/engine/describe-error.ts';
import { VERSION } from '../../src/engine/version.ts';
import { ATTRIBUTES, EVENTS, SCOPE_NAME } from '../names.ts';

/**
 * Records what a call gave up with, once. `OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN` says how: a span event by default,
 * a log record for `logs`, both for `logs/dup` (semantic conventions, exceptions). The record is a warning: the
 * caller, who gets the error, knows better how bad it is.
 */
export function recordException(span: Span, context: Context, error: unknown): void {
  const optIn = (process.env.OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN ?? '').split(',').map(value => value.trim());
  const logged = (optIn.includes('logs') || optIn.includes('logs/dup')) && 'logs' in api;
  const attributes = attributesOf(describeError(error));
  if (logged) emitLog(context, attributes);
  if (!logged || optIn.includes('logs/dup')) span.addEvent(EVENTS.exception, attributes);
}

const WARN = 13;

function emitLog(context: Context, attributes: Record<string, string>): void {
  api.logs.getLogger(SCOPE_NAME, VERSION).emit({
    eventName: EVENTS.exceptionLog,
    severityNumber: WARN,
    severityText: 'WARN',
    attributes,
    context,
  });
}

function attributesOf({ type, message, stack }: ErrorDescription): Record<string, string> {
  return {
    [ATTRIBUTES.exceptionType]: type,
    [ATTRIBUTES.exceptionMessage]: message,
    ...(stack === undefined ? undefined : { [ATTRIBUTES.exceptionStacktrace]: stack }),
  };
}
