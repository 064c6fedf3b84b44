import type { LetterFilter } from '../letter-filter.ts';
import { writeCondition } from '../sql-condition.ts';
import { toStoredText } from './stored-text.ts';

/** The time of the server at the beginning of the statement, in milliseconds since 1970. */
export const NOW = '(floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint)';
/** A letter that somebody works on. */
export const IS_CLAIMED: string = `(state = 'claimed' AND claim_until > ${NOW})`;

/** A statement in the making, and what is bound to its parameters. No value ever becomes part of the text. */
export class Statement {
  readonly values: unknown[] = [];

  /** Binds a value that is in the form of a column, and gives the parameter that stands for it. */
  readonly bindAsIs: (value: unknown) => string = value => {
    this.values.push(value);
    return `$${this.values.length}`;
  };

  /** Binds a value, a text in the form in which a column can hold it. */
  readonly bind: (value: string | number) => string = value =>
    this.bindAsIs(typeof value === 'string' ? toStoredText(value) : value);

  /** The condition for letters that fit. */
  condition(filter: LetterFilter): string {
    return writeCondition(filter, {
      bind: this.bind,
      now: () => NOW,
      isAnyOf: (column, list) => `${column} = ANY(${this.bindAsIs(list.map(toStoredText))}::text[])`,
    });
  }
}
