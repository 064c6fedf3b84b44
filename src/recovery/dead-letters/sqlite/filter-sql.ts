import type { LetterFilter } from '../letter-filter.ts';
import { writeCondition } from '../sql-condition.ts';

/** A condition, and what is bound to its question marks. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

/** A letter that somebody works on, at `now`. */
export const IS_CLAIMED = "(state = 'claimed' AND claim_until > ?)";

/** The condition for letters that fit, at a time in milliseconds since 1970. */
export function conditionFor(filter: LetterFilter, now: number): Condition {
  const values: (string | number)[] = [];
  const bind = (value: string | number): string => {
    values.push(value);
    return '?';
  };
  const sql = writeCondition(filter, {
    bind,
    now: () => bind(now),
    isAnyOf: (column, list) => `${column} IN (SELECT value FROM json_each(${bind(listText(list))}))`,
  });
  return { sql, values };
}

/** Half of a surrogate pair is written as elsewhere where text is bound: SQLite would make something else of its escape. */
function listText(list: readonly string[]): string {
  return JSON.stringify(list.map(text => text.toWellFormed()));
}
