import type { LogRecord } from './log-sink.ts';
import { singleLine } from './single-line.ts';

/**
 * A record as one line for people: the level, the message, and the fields as key=value.
 *
 * @example
 * ```ts
 * logTo(record => process.stderr.write(`${textLine(record)}\n`));
 * ```
 */
export function textLine({ level, message, fields }: LogRecord): string {
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${quoted(value)}`);
  return `${level.toUpperCase().padEnd(5)} ${singleLine(message)}${pairs.join('')}`;
}

function quoted(value: string | number): string {
  return typeof value === 'number' || /^[\w.:-]+$/.test(value) ? String(value) : JSON.stringify(singleLine(value));
}
