import type { StopReason } from '../../src/engine/outcome.ts';
import type { QueueEventName } from '../../src/recovery/dead-letters/queue-event.ts';
import type { WaitEventName } from '../../src/recovery/durable/waits-options.ts';
import type { LogLevel } from './log-sink.ts';

/** How urgent each message is. */
export interface LoggingOptions {
  /** Levels that differ from {@link DEFAULT_LEVELS}; `'off'` silences a message. */
  readonly levels?: Partial<Record<LogMessage, LogLevel | 'off'>>;
}

/**
 * The messages: a retry was scheduled, a call succeeded after retries, a call gave up for a reason, or something happened to
 * dead letters, or to calls over long waits.
 */
export type LogMessage = 'attempt_failed' | 'succeeded' | StopReason | LetterMessage | WaitMessage;

/** A message about dead letters. */
export type LetterMessage = `letter_${QueueEventName}`;

/** A message about calls over long waits. */
export type WaitMessage = `wait_${WaitEventName}`;

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
  letter_stored: 'warn',
  letter_not_stored: 'error',
  letter_redriven: 'info',
  letter_failed: 'warn',
  letter_quarantined: 'error',
  letter_evicted: 'warn',
  letter_purged: 'info',
  wait_handed_over: 'info',
  wait_kept_in_memory: 'warn',
  wait_continued: 'info',
  wait_put_back: 'warn',
  wait_refused: 'error',
});

/** A level for every message. */
export type Levels = Readonly<Record<LogMessage, LogLevel | 'off'>>;

const ALLOWED: readonly unknown[] = ['debug', 'info', 'warn', 'error', 'off'];

/**
 * The default levels with those of the options.
 *
 * @throws TypeError when an option, message or level is unknown
 */
export function levelsOf({ levels, ...rest }: LoggingOptions): Levels {
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
