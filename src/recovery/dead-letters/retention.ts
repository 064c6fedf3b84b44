import { type Check, checkOptions, integerFrom, numberFrom, oneOf } from '../../engine/option-checks.ts';

/** How much a store keeps, and for how long. What is redriven is only a record: it goes first, whatever `whenFull` says. */
export interface Retention {
  /** Letters that died longer ago are deleted, and counted as evicted. Default 14 days, in milliseconds. Range 1000 to 10 years. */
  readonly maxAgeMs?: number;
  /** Default 100000. Range 1 to 100 million. */
  readonly maxCount?: number;
  /** The size of all letters together. Default 1 GiB. Range 1 KiB to 1 TiB. */
  readonly maxBytes?: number;
  /**
   * What happens to a new letter when `maxCount` or `maxBytes` is reached. Default `'refuse-new'`: it goes where letters go when the store fails, and everybody hears of it.
   * `'drop-oldest'`: the oldest letters that nobody works on make room, and are counted as evicted. Where a limit was lowered, each
   * new letter drops some hundred, and never less than it takes itself, until the limit holds.
   */
  readonly whenFull?: 'refuse-new' | 'drop-oldest';
}

/** What holds where a limit is left out. */
export const RETENTION: Readonly<Required<Retention>> = Object.freeze({
  maxAgeMs: 14 * 86_400_000,
  maxCount: 100_000,
  maxBytes: 2 ** 30,
  whenFull: 'refuse-new',
});

/**
 * Checks the limits and fills in the defaults.
 *
 * @throws TypeError or RangeError, naming the option, the value and what is allowed
 */
export function readRetention(given: Retention = {}): Required<Retention> {
  checkOptions('the limits of retention', given, CHECKS);
  return Object.freeze({
    maxAgeMs: given.maxAgeMs ?? RETENTION.maxAgeMs,
    maxCount: given.maxCount ?? RETENTION.maxCount,
    maxBytes: given.maxBytes ?? RETENTION.maxBytes,
    whenFull: given.whenFull ?? RETENTION.whenFull,
  });
}

const CHECKS: Readonly<Record<keyof Retention, Check>> = {
  maxAgeMs: numberFrom(1000, 3650 * 86_400_000, 'a number of milliseconds'),
  maxCount: integerFrom(1, 100_000_000),
  maxBytes: integerFrom(1024, 2 ** 40),
  whenFull: oneOf('refuse-new', 'drop-oldest'),
};
