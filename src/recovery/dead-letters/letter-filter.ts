import { type Check, checkName, checkOptions, message, numberFrom, ofType } from '../../engine/option-checks.ts';
import { STOP_REASONS, type StopReason } from '../../engine/outcome.ts';
import type { DeadLetter, LetterStateName } from './letter.ts';
import { LETTER_STATES } from './letter.ts';

/** Which letters are meant: those that fit everything that is given. An empty filter means all. */
export interface LetterFilter {
  readonly ids?: readonly string[];
  readonly queue?: string;
  readonly operations?: readonly string[];
  /** The error's type, as in the metric label. */
  readonly errorType?: string;
  readonly reason?: StopReason;
  readonly states?: readonly LetterStateName[];
  /** Died at least so long ago, in milliseconds. */
  readonly minAgeMs?: number;
  /** Died at most so long ago, in milliseconds. */
  readonly maxAgeMs?: number;
}

/** Whether a letter fits, at a time in milliseconds since 1970. */
export function fits(letter: DeadLetter, filter: LetterFilter, now: number): boolean {
  const { ids, queue, operations, errorType, reason, states, minAgeMs, maxAgeMs } = filter;
  const age = now - letter.diedAt;
  return (
    (ids === undefined || ids.includes(letter.id)) &&
    (queue === undefined || queue === letter.queue) &&
    (operations === undefined || operations.includes(letter.operation)) &&
    (errorType === undefined || errorType === letter.error.type) &&
    (reason === undefined || reason === letter.reason) &&
    (states === undefined || states.includes(letter.state.is)) &&
    (minAgeMs === undefined || age >= minAgeMs) &&
    (maxAgeMs === undefined || age <= maxAgeMs)
  );
}

/**
 * Checks a filter: a misspelt field must not mean "all of them".
 *
 * @throws TypeError or RangeError, naming the field, the value and what is allowed
 */
export function checkFilter(filter: LetterFilter): void {
  checkOptions('the fields of a filter', filter, CHECKS);
}

/* @__NO_SIDE_EFFECTS__ */
function listOf(what: string, isItem: (item: unknown) => boolean): Check {
  return (name, value) => {
    if (!Array.isArray(value)) throw new TypeError(message(name, value, what));
    value.forEach((item, i) => {
      if (!isItem(item)) throw new RangeError(message(`${name}[${i}]`, item, what));
    });
  };
}

const isText = (value: unknown): boolean => typeof value === 'string';
const LONGEST_AGE = 8.64e15;

const CHECKS: Readonly<Record<keyof LetterFilter, Check>> = {
  ids: listOf('a list of strings', isText),
  queue: checkName,
  operations: listOf('a list of strings', isText),
  errorType: checkName,
  reason: ofType(`one of ${STOP_REASONS.join(', ')}`, isText, v => STOP_REASONS.includes(v as StopReason)),
  states: listOf(`a list of ${LETTER_STATES.join(', ')}`, item => LETTER_STATES.includes(item as LetterStateName)),
  minAgeMs: numberFrom(0, LONGEST_AGE, 'a number of milliseconds'),
  maxAgeMs: numberFrom(0, LONGEST_AGE, 'a number of milliseconds'),
};
