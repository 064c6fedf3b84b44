import type { Clock } from '../../engine/clock.ts';
import {
  type Check,
  checkClock,
  checkFunction,
  checkOptions,
  integerFrom,
  isFunction,
  milliseconds,
  ofType,
  withFunctions,
} from '../../engine/option-checks.ts';
import type { LetterKeeper } from '../dead-letters/letter-keeper.ts';
import type { OperationRegistry } from '../dead-letters/operation-registry.ts';
import type { PayloadRedactor } from '../dead-letters/pack-payload.ts';
import type { PayloadCipher } from '../dead-letters/payload-cipher.ts';

/** What `BullmqWaits` and `PgBossWaits` have in common. */
export interface WaitsOptions {
  /** Where a worker finds the operations. Default: the registry of the process. */
  readonly registry?: OperationRegistry;
  /**
   * Keeps the calls that no worker could go on with, where their operation is not known here or has no queue of its own.
   * Default none: such a job fails, and is counted as a dead letter that was not stored.
   */
  readonly deadLetter?: LetterKeeper;
  /**
   * A call with larger arguments is not handed over. The JSON text in UTF-8 counts. Default 262144 (256 KiB). Range 1024 to
   * 64 MiB.
   */
  readonly maxPayloadBytes?: number;
  /**
   * Takes secrets out of the arguments. Default: by key names and by the redactor of the process, as everywhere. A call
   * that loses something this way is handed over only where its operation has a `restore`. `false` keeps the arguments as
   * they are: for those that need it, use it together with `cipher`.
   */
  readonly redact?: PayloadRedactor | false;
  /**
   * Encrypts the arguments; see `aes256Gcm`. A worker that has one refuses arguments that were not sealed, and puts back
   * those that it cannot open, so who can write to the queue cannot choose them. Default none.
   */
  readonly cipher?: PayloadCipher;
  /**
   * How long a call waits for the engine to take it, in milliseconds; then it waits for its next attempt in memory. Default
   * 5000. Range 1 to 2^31-1.
   */
  readonly handOverTimeoutMs?: number;
  /** Told of what happens to calls in this process. What it throws is counted, never passed on. */
  onEvent?(event: WaitEvent): void;
  /** Time and waiting. Default the system's. */
  readonly clock?: Clock;
}

/**
 * What happens to a call: the engine has it; the engine or the arguments did not allow it, so it waits in memory; a
 * worker goes on with it; a worker could not, and has put its job back for another one; nobody can.
 */
export type WaitEventName = 'handed_over' | 'kept_in_memory' | 'continued' | 'put_back' | 'refused';

/** How often each thing has happened to a call in this process. */
export type WaitCounts = Record<WaitEventName, number>;

/** Something that happened to a call in this process. */
export interface WaitEvent {
  readonly event: WaitEventName;
  readonly queue: string;
  /** Left out where a job does not say. */
  readonly operation?: string;
  readonly jobId?: string;
  /** For `kept_in_memory`, `put_back` and `refused`: the reason in a few words. */
  readonly why?: string;
}

/** What holds where an option is left out. */
export const WAITS_DEFAULTS: Readonly<Required<Pick<WaitsOptions, 'maxPayloadBytes' | 'handOverTimeoutMs'>>> =
  Object.freeze({ maxPayloadBytes: 262_144, handOverTimeoutMs: 5000 });

/** @throws TypeError or RangeError, naming the option, the value and what is allowed */
export function checkWaitsOptions(what: string, options: object, own: Readonly<Record<string, Check>>): void {
  checkOptions(what, options, { ...own, ...CHECKS });
}

const CHECKS: Readonly<Record<keyof WaitsOptions, Check>> = {
  registry: withFunctions('an OperationRegistry', 'add', 'get', 'names'),
  deadLetter: withFunctions('a DeadLetterQueue or an object with a function "keep"', 'keep'),
  maxPayloadBytes: integerFrom(1024, 64 * 2 ** 20),
  redact: ofType('a function or false', v => v === false || isFunction(v)),
  cipher: withFunctions('a PayloadCipher', 'seal', 'open'),
  handOverTimeoutMs: milliseconds(1),
  onEvent: checkFunction,
  clock: checkClock,
};
