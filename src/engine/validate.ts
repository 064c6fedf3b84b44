import { LONGEST_TIMER_MS } from './clock.ts';
import type { RetryOptions } from './options.ts';
import { read } from './read.ts';

/**
 * Checks every option before anything runs.
 *
 * @throws TypeError for an unknown option (it names the nearest known one) and for a value of the wrong type
 * @throws RangeError for a value out of range; both name the option, the value and what is allowed
 */
export function validateOptions(options: RetryOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`retry options are ${show(options)}; they must be an object`);
  }
  for (const name of Object.keys(options)) {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as OptionName] : undefined;
    if (check === undefined) throw new TypeError(unknownOption(name, read(options, name)));
    const value: unknown = options[name as OptionName];
    if (value !== undefined) check(name, value);
  }
  if (options.maxAttempts === Infinity && options.maxElapsed === undefined && options.signal === undefined) {
    throw new RangeError('maxAttempts is Infinity; it needs maxElapsed or signal as well, or the call may never end');
  }
}

/** Checks a number of milliseconds that comes from outside the options. */
export function checkMilliseconds(name: string, value: unknown): void {
  milliseconds(0)(name, value);
}

type OptionName = keyof RetryOptions;
type Check = (name: string, value: unknown) => void;

const JITTERS: readonly unknown[] = [true, false, 'full', 'equal', 'proportional', 'decorrelated'];
const BACKOFFS: readonly unknown[] = ['exponential', 'constant', 'linear', 'fibonacci'];

const CHECKS: Record<OptionName, Check> = {
  operation: ofType(
    'a string of 1 to 200 characters',
    v => typeof v === 'string',
    v => {
      const { length } = v as string;
      return length > 0 && length <= 200;
    },
  ),
  maxAttempts: ofType(
    'an integer of 1 or more',
    isNumber,
    v => v === Infinity || (Number.isInteger(v) && (v as number) >= 1),
  ),
  initialDelay: milliseconds(0),
  maxDelay: milliseconds(0),
  exponentialBase: ofType('a number from 1 to 1000', isNumber, v => (v as number) >= 1 && (v as number) <= 1000),
  jitter: ofType("true, false, 'full', 'equal', 'proportional' or 'decorrelated'", v => JITTERS.includes(v)),
  backoff: checkBackoff,
  retryOn: ofType('an error class, a code, a list of those, or a function', v => isRetryOn(v)),
  retryOnResult: ofType('a function', isFunction),
  attemptTimeout: milliseconds(1),
  maxElapsed: milliseconds(1),
  signal: ofType(
    'an AbortSignal',
    v => typeof read(v, 'aborted') === 'boolean' && isFunction(read(v, 'addEventListener')),
  ),
  retryAfter: ofType('true, false or a function', v => typeof v === 'boolean' || isFunction(v)),
  onRetry: ofType('a function', isFunction),
  onStop: ofType('a function', isFunction),
  observer: ofType('an object with a function "call"', v => isFunction(read(v, 'call'))),
  attributes: ofType(
    'an object of strings, numbers and booleans',
    v => typeof v === 'object' && v !== null && Object.values(v).every(isAttribute),
  ),
  clock: ofType('a Clock', v =>
    ['now', 'wallNow', 'random', 'sleep', 'timer', 'block'].every(method => isFunction(read(v, method))),
  ),
  unref: ofType('true or false', v => typeof v === 'boolean'),
};

function ofType(allowed: string, isType: (value: unknown) => boolean, isInRange?: (value: unknown) => boolean): Check {
  return (name, value) => {
    if (!isType(value)) throw new TypeError(message(name, value, allowed));
    if (isInRange?.(value) === false) throw new RangeError(message(name, value, allowed));
  };
}

function milliseconds(least: number): Check {
  return ofType(
    `a number of milliseconds from ${least} to ${LONGEST_TIMER_MS}`,
    isNumber,
    v => (v as number) >= least && (v as number) <= LONGEST_TIMER_MS,
  );
}

function checkBackoff(name: string, value: unknown): void {
  if (isFunction(value) || BACKOFFS.includes(value)) return;
  if (!Array.isArray(value)) {
    throw new TypeError(
      message(name, value, "'exponential', 'constant', 'linear', 'fibonacci', a list of milliseconds or a function"),
    );
  }
  if (value.length === 0) throw new RangeError(message(name, value, 'a list of at least one delay'));
  value.forEach((delay, i) => {
    milliseconds(0)(`${name}[${i}]`, delay);
  });
}

function isRetryOn(value: unknown): boolean {
  const kinds = Array.isArray(value) ? value : [value];
  return kinds.every(kind => typeof kind === 'string' || isFunction(kind));
}

function isAttribute(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number';
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

function message(name: string, value: unknown, allowed: string): string {
  return `${name} is ${show(value)}; it must be ${allowed}`;
}

function unknownOption(name: string, value: unknown): string {
  if (name === 'retries') {
    const hint = isNumber(value) ? `: retries ${String(value)} is maxAttempts ${(value as number) + 1}` : '';
    return `retries is not an option; maxAttempts counts every execution, the first included${hint}`;
  }
  const nearest = nearestOption(name);
  return `${show(name)} is not an option${nearest === undefined ? '' : `; did you mean "${nearest}"?`}`;
}

function nearestOption(name: string): string | undefined {
  let best: string | undefined;
  let shortest = Math.max(2, name.length / 3);
  for (const known of Object.keys(CHECKS)) {
    const distance = editDistance(name.slice(0, 40).toLowerCase(), known.toLowerCase());
    if (distance <= shortest) [best, shortest] = [known, distance - 1];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const swap = (row[j] as number) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(swap, (row[j + 1] as number) + 1, (next[j] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** Shows a value in a message without running any of its code. */
function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
  return typeof value === 'bigint' ? `${value}n` : String(value);
}
