import { errorMessage, errorType } from '../../src/engine/describe-error.ts';
import type { CallEnd, CallInfo, CallScope, RetryEvent, RetryObserver } from '../../src/engine/observer.ts';
import { LOG_FIELDS, LOG_MESSAGES } from '../names.ts';
import { type LinkedSpan, SpanLink } from '../span-link.ts';
import { type LoggingOptions, type LogMessage, levelsOf } from './levels.ts';
import { type Line, Lines } from './lines.ts';
import { type AnyLogger, type LogFields, toLogSink } from './log-sink.ts';
import { singleLine } from './single-line.ts';

/**
 * An observer that writes a line for each retry, for each success after a retry, and for each call that gives up.
 * A call that succeeds at once writes nothing. A logger that throws or rejects is counted; the call never learns of it.
 *
 * @throws TypeError when `logger` cannot be logged to, or an option, message or level is unknown
 */
export function loggingObserver(logger: AnyLogger, options: LoggingOptions = {}): RetryObserver {
  return callLines(new Lines(toLogSink(logger), levelsOf(options)));
}

/** An observer that writes lines. */
export function callLines(lines: Lines): RetryObserver {
  const link = new SpanLink();
  let unlinked: LoggedCall | undefined;
  return {
    call: info => {
      const span = link.take(info);
      if (span !== undefined) return new LoggedCall(lines, info, span);
      // Without a span nothing tells two calls apart, so one scope serves them all.
      if (unlinked?.info !== info) unlinked = new LoggedCall(lines, info, undefined);
      return unlinked;
    },
  };
}

class LoggedCall implements CallScope {
  readonly info: CallInfo;
  readonly #lines: Lines;
  readonly #span: LinkedSpan | undefined;

  constructor(lines: Lines, info: CallInfo, span: LinkedSpan | undefined) {
    this.#lines = lines;
    this.info = info;
    this.#span = span;
  }

  event(event: RetryEvent): void {
    if (event.type === 'hedge_started') return;
    const { attempt, delayMs, error } = event;
    const { maxAttempts } = this.info;
    const seconds = delayMs / 1000;
    this.#write('attempt_failed', operation => ({
      text: LOG_MESSAGES.attempt_failed(operation, attempt, maxAttempts, seconds),
      fields: {
        [LOG_FIELDS.attempt]: attempt,
        ...limitOf(maxAttempts),
        [LOG_FIELDS.delaySeconds]: Math.round(delayMs) / 1000,
        [LOG_FIELDS.error]: textOf(error),
      },
    }));
  }

  end(end: CallEnd): void {
    if (end.outcome === 'failure') {
      const { attempts, error, reason } = end;
      this.#write(reason, operation => ({
        text: LOG_MESSAGES[reason](operation),
        fields: {
          [LOG_FIELDS.attempts]: attempts,
          [LOG_FIELDS.error]: textOf(error),
          [LOG_FIELDS.reason]: reason,
        },
      }));
    } else if (end.attempts > 1) {
      this.#write('succeeded', operation => ({
        text: LOG_MESSAGES.succeeded(operation),
        fields: { [LOG_FIELDS.attempt]: end.attempts, ...limitOf(this.info.maxAttempts) },
      }));
    }
  }

  #write(message: LogMessage, build: (operation: string) => Line): void {
    this.#lines.write(message, () => {
      const operation = singleLine(this.info.operation);
      const { text, fields } = build(operation);
      return { text, fields: { [LOG_FIELDS.operation]: operation, ...fields, ...idsOf(this.#span) } };
    });
  }
}

function limitOf(maxAttempts: number): LogFields {
  // Infinity is no JSON; a call that only time bounds has no limit to tell.
  return Number.isFinite(maxAttempts) ? { [LOG_FIELDS.maxAttempts]: maxAttempts } : {};
}

function textOf(error: unknown): string {
  return singleLine(`${errorType(error)}: ${errorMessage(error)}`);
}

function idsOf(span: LinkedSpan | undefined): LogFields {
  if (span === undefined) return {};
  const { traceId, spanId } = span.spanContext();
  return { [LOG_FIELDS.traceId]: traceId, [LOG_FIELDS.spanId]: spanId };
}
