import { type Check, checkOptions, integerFrom, oneOf } from '../../engine/option-checks.ts';
import { POLICY_OPTIONS } from '../service-policy.ts';
import type { FileRetryOptions } from './file-policy.ts';

/** How a file is written: the options for files, and these. */
export interface AtomicWriteOptions extends FileRetryOptions<void> {
  /**
   * The permissions of the file, exactly. Default: those of the file that is replaced, and for a new one what the
   * process gives its files (0o666 without its umask). Range 0 to 0o777.
   */
  readonly mode?: number;
  /** Of data that is text. Default `'utf8'`. */
  readonly encoding?: BufferEncoding;
  /**
   * `'disk'`: the file and its new name have reached the disk when the call ends, and survive a loss of power.
   * `'system'`: they have reached the operating system, and survive the death of the process alone; many times faster.
   * Default `'disk'`.
   */
  readonly durability?: 'disk' | 'system';
}

/** What of the options is for the file itself. */
export interface WritePlan {
  readonly mode: number | undefined;
  readonly encoding: BufferEncoding;
  readonly isFlushed: boolean;
}

/**
 * Parts the options for the file from those for the retries.
 *
 * @throws TypeError or RangeError, naming the option, the value and what is allowed
 */
export function partOptions(options: AtomicWriteOptions = NOTHING): readonly [WritePlan, FileRetryOptions<void>] {
  const known = parted.get(options);
  if (known !== undefined) return known;
  checkOptions('file options', options, { ...POLICY_OPTIONS, ...CHECKS });
  const { mode, encoding, durability, ...rest } = options;
  const plan = { mode, encoding: encoding ?? 'utf8', isFlushed: durability !== 'system' };
  const parts = [plan, rest] as const;
  parted.set(options, parts);
  return parts;
}

const NOTHING: AtomicWriteOptions = Object.freeze({});
const parted = new WeakMap<object, readonly [WritePlan, FileRetryOptions<void>]>();

const CHECKS: Record<'mode' | 'encoding' | 'durability', Check> = {
  mode: integerFrom(0, 0o777),
  encoding: oneOf('utf8', 'utf-8', 'utf16le', 'ucs2', 'ascii', 'latin1', 'binary', 'base64', 'base64url', 'hex'),
  durability: oneOf('disk', 'system'),
};
