import type { LetterStateName } from './letter.ts';
import type { LetterFilter } from './letter-filter.ts';

/** How a database writes what a condition is made of. No value ever becomes part of the text. */
export interface ConditionWriter {
  /** Binds a value, and gives what stands for it. */
  bind(value: string | number): string;
  /** What stands for the present, in milliseconds since 1970. */
  now(): string;
  /** That a column has one of these values. */
  isAnyOf(column: string, values: readonly string[]): string;
}

/** The condition for letters that fit. What is bound is bound in the order in which it stands in the text. */
export function writeCondition(filter: LetterFilter, writer: ConditionWriter): string {
  const { ids, queue, operations, errorType, reason, states, minAgeMs, maxAgeMs } = filter;
  const parts: string[] = [];
  if (ids !== undefined) parts.push(writer.isAnyOf('id', ids));
  if (queue !== undefined) parts.push(`queue = ${writer.bind(queue)}`);
  if (operations !== undefined) parts.push(writer.isAnyOf('operation', operations));
  if (errorType !== undefined) parts.push(`error_type = ${writer.bind(errorType)}`);
  if (reason !== undefined) parts.push(`reason = ${writer.bind(reason)}`);
  if (minAgeMs !== undefined) parts.push(`died_at <= ${writer.now()} - ${writer.bind(Math.ceil(minAgeMs))}`);
  if (maxAgeMs !== undefined) parts.push(`died_at >= ${writer.now()} - ${writer.bind(Math.floor(maxAgeMs))}`);
  if (states !== undefined) {
    const any = states.map(state => stateCondition(state, writer));
    parts.push(any.length === 0 ? 'FALSE' : `(${any.join(' OR ')})`);
  }
  return parts.length === 0 ? 'TRUE' : parts.join(' AND ');
}

function stateCondition(state: LetterStateName, writer: ConditionWriter): string {
  // A letter whose lease has ended is dead.
  if (state === 'dead') return `(state = 'dead' OR (state = 'claimed' AND claim_until <= ${writer.now()}))`;
  if (state === 'claimed') return `(state = 'claimed' AND claim_until > ${writer.now()})`;
  return `state = ${writer.bind(state)}`;
}
