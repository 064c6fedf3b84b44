import { errorMessage, errorType } from '../../src/engine/describe-error.ts';
import { reportFault } from '../../src/engine/faults.ts';
import type { CallEnd, CallInfo, CallScope, RetryEvent, RetryObserver } from '../../src/engine/observer.ts';
import type { StopReason } from '../../src/engine/outcome.ts';
import { LOG_FIELDS, LOG_MESSAGES } from '../names.ts';
import { type LinkedSpan, SpanLink } from '../span-link.ts';
import { type AnyLogger, type LogFields, type LogLevel, type LogSink, toLogSink } from './log-sink.ts';
import { singleLine } from './single-line.ts';

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
 * A call that succeeds at once writes nothing. A logger that throws or rejects is counted; the call never learns of it.
 *
 * @throws TypeError when `logger` cannot be logged to, or an option, message or level is unknown
 */
export function loggingObserver(logger: AnyLogger, options: LoggingOptions = {}): RetryObserver {
  const lines = new Lines(toLogSink(logger), levelsOf(options));
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

type Levels = Readonly<Record<LogMessage, LogLevel | 'off'>>;

const ALLOWED: readonly unknown[] = ['debug', 'info', 'warn', 'error', 'off'];

function levelsOf({ levels, ...rest }: LoggingOptions): Levels {
  for (const name of Object.keys(rest)) {
    throw new TypeError(`${JSON.stringify(name)} is not an option of a logger; there is levels`);
  }
  const messages = Object.keys(DEFAULT_LEVELS);
  for (const [message, level] of Object.entries(levels ?? {})) {
    if (!messages.includes(message)) {
      throw new TypeError(`levels.${message} is not a message; the messages are ${messages.join(', ')}`);
    }
    if (level !== undefined && !ALLOWED.includes(level)) {
      const shown = typeof level === 'string' ? JSON.stringify(level) : String(level);
      throw new TypeError(`levels.${message} is ${shown}; it must be ${ALLOWED.join(', ')}`);
    }
  }
  const chosen = Object.entries(levels ?? {}).filter(([, level]) => level !== undefined);
  return { ...DEFAULT_LEVELS, ...Object.fromEntries(chosen) };
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

interface Line {
  readonly text: string;
  readonly fields: LogFields;
}

/** Where the lines of one observer go, each at the level of its message. */
class Lines {
  readonly #sink: LogSink;
  readonly #levels: Levels;

  constructor(sink: LogSink, levels: Levels) {
    this.#sink = sink;
    this.#levels = levels;
  }

  /** Builds and writes a line, if its level is on; a fault of the logger ends here. */
  write(message: LogMessage, build: () => Line): void {
    const level = this.#levels[message];
    if (level === 'off') return;
    try {
      if (!this.#sink.isEnabled(level)) return;
      const { text, fields } = build();
      const written = this.#sink.write({ level, message: text, fields });
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
  return singleLine(`${errorType(error)}: ${errorMessage(error)}`);
}

function idsOf(span: LinkedSpan | undefined): LogFields {
  if (span === undefined) return {};
  const { traceId, spanId } = span.spanContext();
  return { [LOG_FIELDS.traceId]: traceId, [LOG_FIELDS.spanId]: spanId };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
