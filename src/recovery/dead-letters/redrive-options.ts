import {
  type Check,
  checkFunction,
  checkName,
  checkOptions,
  integerFrom,
  isFunction,
  milliseconds,
  numberFrom,
  ofType,
  withFunctions,
} from '../../engine/option-checks.ts';
import { read } from '../../engine/read.ts';
import { checkFilter, type LetterFilter } from './letter-filter.ts';
import type { OperationRegistry } from './operation-registry.ts';

/** Which letters are sent again, and how fast. */
export interface RedriveOptions {
  /** Which letters of the queue. Default all that are dead; claimed, redriven and quarantined ones are never taken. */
  readonly filter?: Omit<LetterFilter, 'queue' | 'states'>;
  /** At most so many letters. Default `Infinity`. */
  readonly limit?: number;
  /** Letters started per second, over all of this run. Default `Infinity`. Range 0.001 to 1 million. */
  readonly ratePerSecond?: number;
  /** Letters at the same time. Default 1, which keeps the order of this run: oldest first. Range 1 to 1000. */
  readonly concurrency?: number;
  /** Letters that are claimed together. Default 10. Range 1 to 1000. */
  readonly batch?: number;
  /**
   * How long a claim holds, in milliseconds: after that another redriver may take the letter of one that was killed. It is
   * renewed while a letter is worked on. Default 60000. Range 1000 to 2^31-1.
   */
  readonly leaseMs?: number;
  /** A letter is quarantined when so many redrives have failed. Default 5. Range 1 to 1000. */
  readonly quarantineAfter?: number;
  /**
   * The run stops by itself when, of the last `window` letters, at least this share failed: the dependency is still down, and
   * each further letter would come nearer to the quarantine. Default 0.5. Range 0 to 1; above 1 is never, so `Infinity` switches it off.
   */
  readonly stopAtFailureRate?: number;
  /** Not before so many letters were tried. Default 5. Range 1 to 10000. */
  readonly minTried?: number;
  /** Default 20. Range 1 to 10000. */
  readonly window?: number;
  /** Who redrives, for the claims and for people; each run adds something of its own. Default `pid` and the process id. */
  readonly owner?: string;
  /** Ends the run: the letter in work is given back untried. */
  readonly signal?: AbortSignal;
  /** Where the handlers are. Default: the registry of the process. */
  readonly registry?: OperationRegistry;
  /** Told of each letter that is done with. What it throws is counted, never passed on. */
  onLetter?(event: RedriveEvent): void;
}

/** What became of a letter in a run. */
export interface RedriveEvent {
  readonly id: string;
  readonly operation: string;
  /**
   * `released`: it was given back untried. `lost`: it was sent, but that could not be noted: the claim had ended, so another
   * redriver may have sent it as well, or the store failed, so it will be sent again.
   */
  readonly result: 'redriven' | 'failed' | 'quarantined' | 'released' | 'lost';
}

/** What holds where an option is left out. */
export const REDRIVE_DEFAULTS: Readonly<
  Required<
    Pick<
      RedriveOptions,
      | 'filter'
      | 'limit'
      | 'ratePerSecond'
      | 'concurrency'
      | 'batch'
      | 'leaseMs'
      | 'quarantineAfter'
      | 'stopAtFailureRate'
      | 'minTried'
      | 'window'
    >
  >
> = Object.freeze({
  filter: Object.freeze({}),
  limit: Infinity,
  ratePerSecond: Infinity,
  concurrency: 1,
  batch: 10,
  leaseMs: 60_000,
  quarantineAfter: 5,
  stopAtFailureRate: 0.5,
  minTried: 5,
  window: 20,
});

/** @throws TypeError or RangeError, naming the option, the value and what is allowed */
export function checkRedriveOptions(options: RedriveOptions): void {
  checkOptions('the options of a redrive', options, CHECKS);
}

/* @__NO_SIDE_EFFECTS__ */
function orInfinity(check: Check): Check {
  return (name, value) => {
    if (value !== Infinity) check(name, value);
  };
}

const CHECKS: Readonly<Record<keyof RedriveOptions, Check>> = {
  filter: (_, value) => {
    const filter = value as LetterFilter;
    checkFilter(filter);
    if (filter.queue !== undefined || filter.states !== undefined) {
      throw new TypeError('filter.queue and filter.states are not for a redrive: it takes dead letters of its queue');
    }
  },
  limit: orInfinity(integerFrom(1, Number.MAX_SAFE_INTEGER)),
  ratePerSecond: orInfinity(numberFrom(0.001, 1_000_000)),
  concurrency: integerFrom(1, 1000),
  batch: integerFrom(1, 1000),
  leaseMs: milliseconds(1000),
  quarantineAfter: integerFrom(1, 1000),
  stopAtFailureRate: orInfinity(numberFrom(0, 1)),
  minTried: integerFrom(1, 10_000),
  window: integerFrom(1, 10_000),
  owner: checkName,
  signal: ofType(
    'an AbortSignal',
    v => typeof read(v, 'aborted') === 'boolean' && isFunction(read(v, 'addEventListener')),
  ),
  registry: withFunctions('an OperationRegistry', 'add', 'get', 'names'),
  onLetter: checkFunction,
};
