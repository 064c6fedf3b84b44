import { describeError } from '../../src/engine/describe-error.ts';
import { reportFault } from '../../src/engine/faults.ts';
import type { CallEnd, CallInfo, CallScope, RetryEvent, RetryObserver } from '../../src/engine/observer.ts';
import type { StopReason } from '../../src/engine/outcome.ts';
import { LOG_FIELDS, LOG_MESSAGES } from '../names.ts';
import { type LinkedSpan, takeCallSpan } from '../span-link.ts';
import { type AnyLogger, type LogFields, type LogLevel, type LogSink, toLogSink } from './log-sink.ts';

/** How urgent each message is. */
export interface LoggingOptions {
  /** Levels that differ from {@link DEFAULT_LEVELS}; `'off'` silences a message. */
  readonly levels?: Partial<Record<LogMessage, LogLevel | 'off'>>;
}

/** The messages: a retry was scheduled, a call succeeded after retries, or a call gave up for a reason. */
export type LogMessage = 'attempt_failed' | 'succeeded' | StopReason;

/** The level of each message. */
export const DEFAULT_LEVELS: Readonly<Record<LogMessage, LogLevel>> = Object.freeze({
  attempt_failed: 'warn',
  succeeded: 'info',
  attempts_exhausted: 'error',
  not_retryable: 'warn',
  deadline_exceeded: 'error',
  budget_exhausted: 'error',
  circuit_open: 'error',
  already_retried: 'warn',
  aborted: 'info',
});

/**
 * An observer that writes a line for each retry, for each success after a retry, and for each call that gives up.
 * A call that succeeds at once writes nothing.
 *
 * @throws TypeError when `logger` cannot be logged to, or a level is unknown
 */
export function loggingObserver(logger: AnyLogger, options: LoggingOptions = {}): RetryObserver {
  const sink = toLogSink(logger);
  const levels = { ...DEFAULT_LEVELS, ...options.levels };
  for (const [message, level] of Object.entries(levels)) {
    if (!Object.hasOwn(DEFAULT_LEVELS, message) || !ALLOWED.includes(level)) {
      throw new TypeError(`levels.${message} is ${JSON.stringify(level)}; it must be ${ALLOWED.join(', ')}`);
    }
  }
  return { call: info => new LoggedCall(info, sink, levels, takeCallSpan(info)) };
}

const ALLOWED: readonly string[] = ['debug', 'info', 'warn', 'error', 'off'];

class LoggedCall implements CallScope {
  readonly #info: CallInfo;
  readonly #sink: LogSink;
  readonly #levels: Readonly<Record<LogMessage, LogLevel | 'off'>>;
  readonly #span: LinkedSpan | undefined;

  constructor(
    info: CallInfo,
    sink: LogSink,
    levels: Readonly<Record<LogMessage, LogLevel | 'off'>>,
    span: LinkedSpan | undefined,
  ) {
    this.#info = info;
    this.#sink = sink;
    this.#levels = levels;
    this.#span = span;
  }

  event(event: RetryEvent): void {
    const { operation, maxAttempts } = this.#info;
    const delay = event.delayMs / 1000;
    this.#write('attempt_failed', LOG_MESSAGES.attempt_failed(operation, event.attempt, maxAttempts, delay), () => ({
      [LOG_FIELDS.attempt]: event.attempt,
      ...limitOf(maxAttempts),
      [LOG_FIELDS.delaySeconds]: Math.round(delay * 1000) / 1000,
      [LOG_FIELDS.error]: textOf(event.error),
    }));
  }

  end(end: CallEnd): void {
    const { operation, maxAttempts } = this.#info;
    if (end.outcome === 'failure') {
      this.#write(end.reason, LOG_MESSAGES[end.reason](operation), () => ({
        [LOG_FIELDS.attempts]: end.attempts,
        [LOG_FIELDS.error]: textOf(end.error),
        [LOG_FIELDS.reason]: end.reason,
      }));
    } else if (end.attempts > 1) {
      this.#write('succeeded', LOG_MESSAGES.succeeded(operation), () => ({
        [LOG_FIELDS.attempt]: end.attempts,
        ...limitOf(maxAttempts),
      }));
    }
  }

  #write(message: LogMessage, text: string, fields: () => LogFields): void {
    const level = this.#levels[message];
    if (level === 'off') return;
    try {
      if (!this.#sink.isEnabled(level)) return;
      const record = { [LOG_FIELDS.operation]: this.#info.operation, ...fields(), ...idsOf(this.#span) };
      const written = this.#sink.write({ level, message: text, fields: record });
      if (isThenable(written)) Promise.resolve(written).catch(fault => reportFault('logger', fault));
    } catch (fault) {
      reportFault('logger', fault);
    }
  }
}

function limitOf(maxAttempts: number): LogFields {
  // Infinity is no JSON; a call that only time bounds has no limit to tell.
  return Number.isFinite(maxAttempts) ? { [LOG_FIELDS.maxAttempts]: maxAttempts } : {};
}

function textOf(error: unknown): string {
  const { type, message } = describeError(error);
  return `${type}: ${message}`;
}

function idsOf(span: LinkedSpan | undefined): LogFields {
  if (span === undefined) return {};
  const { traceId, spanId } = span.spanContext();
  return { [LOG_FIELDS.traceId]: traceId, [LOG_FIELDS.spanId]: spanId };
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
