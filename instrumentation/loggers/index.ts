import { addObserver } from '../../src/engine/default-observer.ts';
import type { AnyLogger } from './log-sink.ts';
import { type LoggingOptions, loggingObserver } from './observer.ts';

export type { AnyLogger, LeveledLogger, LogFields, LogLevel, LogRecord } from './log-sink.ts';
export { DEFAULT_LEVELS, type LoggingOptions, type LogMessage, loggingObserver } from './observer.ts';
export { textLine } from './text-line.ts';

/**
 * Lets every policy without an `observer` of its own write its log lines to `logger`: winston, pino, the console, or a
 * function that takes records. Returns the function that ends it.
 *
 * @throws TypeError when `logger` cannot be logged to, or a level is unknown
 *
 * @example
 * ```ts
 * logTo(console, { levels: { succeeded: 'off' } });
 * ```
 */
export function logTo(logger: AnyLogger, options?: LoggingOptions): () => void {
  return addObserver(loggingObserver(logger, options));
}
