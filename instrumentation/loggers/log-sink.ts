import type { LOG_FIELDS } from '../names.ts';

/** How urgent a line is. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** One line: plain text and plain values, redacted, bounded, and without control characters. */
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
 * others get (message, fields); a console gets one line of JSON, so that no value can forge a line.
 *
 * A level that the logger lacks goes to the next more urgent one that it has (`warning` serves as `warn`).
 *
 * @throws TypeError when `logger` is neither a function nor has one of the methods debug, info, warn, error
 */
export function toLogSink(logger: AnyLogger): LogSink {
  if (typeof logger === 'function') return { isEnabled: () => true, write: logger };
  const leveled = logger as Leveled;
  if (methodFor(leveled, 'debug') === undefined) {
    throw new TypeError('the logger must be a function, or have one of the methods debug, info, warn and error');
  }
  const argumentsOf = conventionOf(leveled);
  return {
    isEnabled: level => {
      const method = methodFor(leveled, level);
      return method !== undefined && (leveled.isLevelEnabled?.(method) ?? true) !== false;
    },
    write: record => {
      const method = methodFor(leveled, record.level);
      // winston is a stream: written to after its end, it emits an error that nobody may be listening for.
      if (leveled.writable === false) throw new Error('the logger has been closed');
      return method === undefined ? undefined : Reflect.apply(leveled[method] as Method, leveled, argumentsOf(record));
    },
  };
}

type Method = (...args: unknown[]) => unknown;

/** What tells loggers apart, and what else is asked of them. Any of it may be missing. */
interface Leveled extends Readonly<Record<string, unknown>> {
  readonly isLevelEnabled?: (level: string) => unknown;
}

/** Which method takes a level: the first of these that the logger has. */
const METHODS: Readonly<Record<LogLevel, readonly string[]>> = {
  debug: ['debug', 'info', 'warn', 'warning', 'error'],
  info: ['info', 'warn', 'warning', 'error'],
  warn: ['warn', 'warning', 'error'],
  error: ['error'],
};

function methodFor(logger: Leveled, level: LogLevel): string | undefined {
  return METHODS[level].find(method => typeof logger?.[method] === 'function');
}

type Convention = (record: LogRecord) => readonly unknown[];

/** What the methods of a logger take. */
function conventionOf(logger: Leveled): Convention {
  if (typeof logger.table === 'function' && typeof logger.group === 'function') return asJson;
  // pino has `bindings()`, bunyan an object `fields`.
  if (typeof logger.bindings === 'function' || isObject(logger.fields)) return fieldsFirst;
  // winston alone has both a table of levels and transports.
  return isObject(logger.levels) && isObject(logger.transports) ? forWinston : messageFirst;
}

const asJson: Convention = ({ level, message, fields }) => [JSON.stringify({ level, message, ...fields })];
const fieldsFirst: Convention = ({ message, fields }) => [{ ...fields }, message];
const messageFirst: Convention = ({ message, fields }) => [message, { ...fields }];
/** winston drops the fields of a message with a % in it, taking them for arguments of a format. */
const forWinston: Convention = record =>
  record.message.includes('%') ? [{ message: record.message, ...record.fields }] : messageFirst(record);

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
