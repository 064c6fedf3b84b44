import type { Clock } from '../../engine/clock.ts';
import {
  type Check,
  checkClock,
  checkFunction,
  checkName,
  checkOptions,
  integerFrom,
  isFunction,
  message,
  milliseconds,
  ofType,
  withFunctions,
} from '../../engine/option-checks.ts';
import { STOP_REASONS, type StopReason } from '../../engine/outcome.ts';
import type { DeadLetterStore } from './dead-letter-store.ts';
import type { PayloadRedactor } from './pack-payload.ts';
import type { PayloadCipher } from './payload-cipher.ts';
import type { QueueEvent } from './queue-event.ts';

/** The options of a `DeadLetterQueue`. */
export interface DeadLetterQueueOptions {
  /** The metric label and the field of each letter, so keep it low in cardinality. 1 to 200 characters. */
  readonly name: string;
  /** Where the letters are kept. Several queues may share one. The queue does not close it. */
  readonly store: DeadLetterStore;
  /** Which stop reasons make a letter. Default: all but `aborted`, for then the caller no longer wants the answer. */
  readonly reasons?: readonly StopReason[];
  /**
   * A larger payload is replaced by a marker that tells its size: half of it would be taken for all of it. The JSON text in
   * UTF-8 counts. Default 262144 (256 KiB). Range 1024 to 64 MiB.
   */
  readonly maxPayloadBytes?: number;
  /**
   * Takes secrets out of the arguments before they are stored. Default: by key names and by the redactor of the process, as
   * everywhere. A letter that lost something this way can be redriven only where the operation has a `restore`. `false`
   * stores the arguments as they are: for those that need it, use it together with `cipher`. So it does with the idempotency
   * key, which no cipher covers.
   */
  readonly redact?: PayloadRedactor | false;
  /** Encrypts the arguments; see `aes256Gcm`. Default none. */
  readonly cipher?: PayloadCipher;
  /**
   * How long a call waits for the store before its letter counts as not stored, in milliseconds. As long, before that, for
   * the encryption: then the payload is left out. Default 5000. Range 1 to 2^31-1.
   */
  readonly storeTimeoutMs?: number;
  /** How many letters wait in memory while the store fails. Default 100. Range 0 to 100000. */
  readonly ringSize?: number;
  /**
   * Told one line of JSON for each letter that the store did not take: the letter as it would have been stored. Default:
   * the line goes to standard error.
   */
  lastResort?(line: string): void;
  /** Told of everything that happens to letters in this process. What it throws is counted, never passed on. */
  onEvent?(event: QueueEvent): void;
  /** Time and waiting. Default the system's. */
  readonly clock?: Clock;
}

/** What holds where an option is left out. */
export const QUEUE_DEFAULTS: Readonly<
  Required<Pick<DeadLetterQueueOptions, 'reasons' | 'maxPayloadBytes' | 'storeTimeoutMs' | 'ringSize'>>
> = Object.freeze({
  reasons: Object.freeze(STOP_REASONS.filter(reason => reason !== 'aborted')),
  maxPayloadBytes: 262_144,
  storeTimeoutMs: 5000,
  ringSize: 100,
});

/** @throws TypeError or RangeError, naming the option, the value and what is allowed */
export function checkQueueOptions(options: DeadLetterQueueOptions): void {
  checkOptions('the options of a DeadLetterQueue', options, CHECKS);
  CHECKS.name('name', options.name);
  CHECKS.store('store', options.store);
}

const CHECKS: Readonly<Record<keyof DeadLetterQueueOptions, Check>> = {
  name: checkName,
  store: withFunctions('a DeadLetterStore', 'put', 'get', 'list', 'claim', 'complete', 'failAgain', 'purge', 'stats'),
  reasons: (name, value) => {
    const allowed = `a list of ${STOP_REASONS.join(', ')}`;
    if (!Array.isArray(value)) throw new TypeError(message(name, value, allowed));
    value.forEach((item, i) => {
      if (!STOP_REASONS.includes(item as StopReason)) throw new RangeError(message(`${name}[${i}]`, item, allowed));
    });
  },
  maxPayloadBytes: integerFrom(1024, 64 * 2 ** 20),
  redact: ofType('a function or false', v => v === false || isFunction(v)),
  cipher: withFunctions('a PayloadCipher', 'seal', 'open'),
  storeTimeoutMs: milliseconds(1),
  ringSize: integerFrom(0, 100_000),
  lastResort: checkFunction,
  onEvent: checkFunction,
  clock: checkClock,
};
