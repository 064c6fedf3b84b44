import { addObserver } from '../../src/engine/default-observer.ts';
import { queueRegistry } from '../../src/recovery/dead-letters/queue-registry.ts';
import { waitRegistry } from '../../src/recovery/durable/wait-registry.ts';
import { letterLines } from './letter-lines.ts';
import { type LoggingOptions, levelsOf } from './levels.ts';
import { Lines } from './lines.ts';
import { type AnyLogger, toLogSink } from './log-sink.ts';
import { callLines } from './observer.ts';
import { waitLines } from './wait-lines.ts';

export {
  DEFAULT_LEVELS,
  type LetterMessage,
  type LoggingOptions,
  type LogMessage,
  type WaitMessage,
} from './levels.ts';
export type { AnyLogger, LeveledLogger, LogFields, LogLevel, LogRecord } from './log-sink.ts';
export { loggingObserver } from './observer.ts';
export { textLine } from './text-line.ts';

/**
 * Lets every policy without an `observer` of its own write its log lines to `logger`: winston, pino, the console, or a
 * function that takes records; and whatever happens to dead letters and to calls over long waits. Returns the function that ends it.
 *
 * @throws TypeError when `logger` cannot be logged to, or a level is unknown
 *
 * @example
 * ```ts
 * logTo(console, { levels: { succeeded: 'off' } });
 * ```
 */
export function logTo(logger: AnyLogger, options?: LoggingOptions): () => void {
  const lines = new Lines(toLogSink(logger), levelsOf(options ?? {}));
  const removeObserver = addObserver(callLines(lines));
  const listener = letterLines(lines);
  queueRegistry.listeners.add(listener);
  const waitListener = waitLines(lines);
  waitRegistry.listeners.add(waitListener);
  return () => {
    removeObserver();
    queueRegistry.listeners.delete(listener);
    waitRegistry.listeners.delete(waitListener);
  };
}
