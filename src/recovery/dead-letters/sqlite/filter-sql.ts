import type { LetterStateName } from '../letter.ts';
import type { LetterFilter } from '../letter-filter.ts';

/** A condition, and what is bound to its question marks. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

/** A letter that nobody works on, at `now`: a lease may have ended. */
export const IS_DEAD = "(state = 'dead' OR (state = 'claimed' AND claim_until <= ?))";
/** A letter that somebody works on, at `now`. */
export const IS_CLAIMED = "(state = 'claimed' AND claim_until > ?)";

/** The condition for letters that fit, at a time in milliseconds since 1970. No value ever becomes part of the text. */
export function conditionFor(filter: LetterFilter, now: number): Condition {
  const { ids, queue, operations, errorType, reason, states, minAgeMs, maxAgeMs } = filter;
  const parts: string[] = [];
  const values: (string | number)[] = [];
  const add = (sql: string, ...bound: readonly (string | number)[]): void => {
    parts.push(sql);
    values.push(...bound);
  };
  if (ids !== undefined) add('id IN (SELECT value FROM json_each(?))', JSON.stringify(ids));
  if (queue !== undefined) add('queue = ?', queue);
  if (operations !== undefined) add('operation IN (SELECT value FROM json_each(?))', JSON.stringify(operations));
  if (errorType !== undefined) add('error_type = ?', errorType);
  if (reason !== undefined) add('reason = ?', reason);
  if (minAgeMs !== undefined) add('died_at <= ?', Math.floor(now - minAgeMs));
  if (maxAgeMs !== undefined) add('died_at >= ?', Math.ceil(now - maxAgeMs));
  if (states !== undefined) {
    const any = states.map(state => stateCondition(state, now));
    add(any.length === 0 ? 'FALSE' : `(${any.map(one => one.sql).join(' OR ')})`, ...any.flatMap(one => one.values));
  }
  return { sql: parts.length === 0 ? 'TRUE' : parts.join(' AND '), values };
}

function stateCondition(state: LetterStateName, now: number): Condition {
  if (state === 'dead') return { sql: IS_DEAD, values: [now] };
  if (state === 'claimed') return { sql: IS_CLAIMED, values: [now] };
  return { sql: 'state = ?', values: [state] };
}
