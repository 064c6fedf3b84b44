import type { LOG_FIELDS } from '../names.ts';

/** How urgent a line is. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** One line: plain text and plain values, redacted and bounded. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** The fields of a line, by the names of `LOG_FIELDS`. */
export type LogFields = Readonly<Partial<Record<(typeof LOG_FIELDS)[keyof typeof LOG_FIELDS], string | number>>>;

/** Takes lines; whatever it throws is counted and kept from the caller. */
export interface LogSink {
  /** False lets the line be dropped before it is built. */
  isEnabled(level: LogLevel): boolean;
  write(record: LogRecord): unknown;
}

/** What can be logged to: winston, pino, the console, or your own function. */
export type AnyLogger = ((record: LogRecord) => unknown) | LeveledLogger;

/** The methods that winston, pino, bunyan and the console share. */
export interface LeveledLogger {
  debug?: LogMethod;
  info?: LogMethod;
  warn?: LogMethod;
  error?: LogMethod;
}

/** Loggers overload their methods in ways that no one signature fits. */
type LogMethod = (...args: never[]) => unknown;

/**
 * Makes a sink of a logger, by its kind: a function gets records; pino and bunyan get (fields, message); winston and
 * others get (message, fields); the console gets one line of JSON, so that no value can forge a line.
 *
 * @throws TypeError when `logger` is neither a function nor has one of the methods debug, info, warn, error
 */
export function toLogSink(logger: AnyLogger): LogSink {
  if (typeof logger === 'function') return { isEnabled: () => true, write: logger };
  if (!LEVELS.some(level => typeof logger?.[level] === 'function')) {
    throw new TypeError('the logger must be a function, or have the methods debug, info, warn and error');
  }
  return {
    isEnabled: level => isEnabled(logger as Probes, level),
    write: record => {
      const { level, message, fields } = record;
      // Custom levels may lack one of ours; the next more urgent one that exists takes the line.
      const method = LEVELS.slice(LEVELS.indexOf(level)).find(candidate => typeof logger[candidate] === 'function');
      if (method === undefined) return undefined;
      const line = (...args: unknown[]): unknown => Reflect.apply(logger[method] as LogMethod, logger, args);
      if (logger === console) return line(JSON.stringify({ level, message, ...fields }));
      return isObjectFirst(logger as Probes) ? line({ ...fields }, message) : line(message, { ...fields });
    },
  };
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** What tells loggers apart. */
interface Probes {
  readonly bindings?: unknown;
  readonly fields?: unknown;
  readonly isLevelEnabled?: (level: string) => boolean;
}

/** pino has `bindings()`, bunyan a `fields` object; both take the object first. */
function isObjectFirst(logger: Probes): boolean {
  return typeof logger.bindings === 'function' || (typeof logger.fields === 'object' && logger.fields !== null);
}

function isEnabled(logger: Probes, level: LogLevel): boolean {
  return typeof logger.isLevelEnabled === 'function' ? logger.isLevelEnabled(level) : true;
}
