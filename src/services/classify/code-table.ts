import type { ErrorClass } from '../../engine/outcome.ts';

/** Which codes mean what; see {@link classifyByCode}. At least one list must have a code. */
export interface CodeTable {
  /** Another attempt may succeed. Default none. */
  readonly transient?: readonly CodePattern[];
  /** The other side asked for less load. Default none. */
  readonly throttled?: readonly CodePattern[];
  /** The same attempt will fail again. Default none. */
  readonly permanent?: readonly CodePattern[];
  /** What holds for everything else: a class, or `'default'` for what `classifyError` says. Default `'default'`. */
  readonly otherwise?: ErrorClass | 'default';
  /** Where codes are looked for, in this order. Default `code`, `errno`, `status`, `statusCode`, `name`. At most 20. */
  readonly properties?: readonly CodeProperty[];
  /** Whether the causes of an error, and the members of an `AggregateError`, are asked as well. Default true. */
  readonly causes?: boolean;
}

/**
 * A code: a string or a number fits what is equal to it, a pattern fits the text of a string or a number. Patterns are
 * not tried on texts of more than 200 characters.
 */
export type CodePattern = string | number | RegExp;

/** The name of a property that holds a code. */
export type CodeProperty = string;
