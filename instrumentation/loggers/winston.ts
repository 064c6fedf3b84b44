import { createLogger, format, transports } from 'winston';
import { type LoggingOptions, logTo } from './index.ts';
import type { LeveledLogger } from './log-sink.ts';

/**
 * Lets every policy without an `observer` of its own write its log lines to a winston logger; without one, to a new
 * logger that writes JSON to the console. Returns the function that ends it. Trace and span are in the metadata
 * already: winston's own formats may run in another async context.
 *
 * @example
 * ```ts
 * logToWinston(createLogger({ transports: [new transports.Console()] }));
 * ```
 */
export function logToWinston(logger: LeveledLogger = jsonLogger(), options?: LoggingOptions): () => void {
  return logTo(logger, options);
}

function jsonLogger(): LeveledLogger {
  return createLogger({ format: format.json(), transports: [new transports.Console()] });
}
