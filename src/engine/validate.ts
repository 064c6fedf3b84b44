import { isErrorClass } from './classify.ts';
import {
  type Check,
  checkBoolean,
  checkClock,
  checkFunction,
  checkName,
  checkObserver,
  checkOptions,
  isFunction,
  isList,
  isNumber,
  message,
  milliseconds,
  numberFrom,
  ofType,
  oneOf,
  withFunctions,
} from './option-checks.ts';
import type { RetryOptions } from './options.ts';
import { lookAt, read } from './read.ts';

/**
 * Checks the options of a policy; see {@link checkOptions} for what it throws.
 */
export function validateOptions(options: RetryOptions<never, unknown>): void {
  checkOptions('retry options', options, CHECKS);
  if (options.maxAttempts === Infinity && options.maxElapsed === undefined && options.signal === undefined) {
    throw new RangeError('maxAttempts is Infinity; it needs maxElapsed or signal as well, or the call may never end');
  }
}

/** Checks a number of milliseconds that comes from outside the options. */
export function checkMilliseconds(name: string, value: unknown): void {
  milliseconds(0)(name, value);
}

const BACKOFFS: readonly unknown[] = ['exponential', 'constant', 'linear', 'fibonacci'];

const CHECKS: Record<keyof RetryOptions<never, unknown>, Check> = {
  operation: checkName,
  maxAttempts: ofType(
    'an integer of 1 or more',
    isNumber,
    v => v === Infinity || (Number.isInteger(v) && (v as number) >= 1),
  ),
  initialDelay: milliseconds(0),
  maxDelay: milliseconds(0),
  exponentialBase: numberFrom(1, 1000),
  jitter: oneOf(true, false, 'full', 'equal', 'proportional', 'decorrelated'),
  backoff: checkBackoff,
  retryOn: ofType('an error class, a code, a list of those, or a function', v => isRetryOn(v)),
  retryOnResult: checkFunction,
  attemptTimeout: milliseconds(1),
  maxElapsed: milliseconds(1),
  signal: ofType(
    'an AbortSignal',
    v =>
      typeof read(v, 'aborted') === 'boolean' &&
      isFunction(read(v, 'addEventListener')) &&
      isFunction(read(v, 'removeEventListener')),
  ),
  retryAfter: ofType('true, false or a function', v => typeof v === 'boolean' || isFunction(v)),
  deadline: checkDeadline,
  budget: withFunctions('a RetryBudget or an object with its functions', 'balance', 'deposit', 'tryWithdraw'),
  breaker: withFunctions('a CircuitBreaker or an object with its functions', 'tryEnter', 'leave', 'openForMs'),
  adaptive: withFunctions('a CubicRate, an AcceptThrottle or an object with their functions', 'admit', 'record'),
  bulkhead: withFunctions('a Bulkhead or an object with a function "run"', 'run'),
  hedge: (name, value) =>
    isNumber(value)
      ? milliseconds(0)(name, value)
      : withFunctions('a number of milliseconds, a LatencyHedge or an object with a function "delayMs"', 'delayMs')(
          name,
          value,
        ),
  fallback: () => undefined,
  nested: oneOf('inner', 'outer', 'both'),
  onRetry: checkFunction,
  onStop: checkFunction,
  observer: checkObserver,
  attributes: ofType(
    'an object of strings, numbers and booleans',
    v => lookAt(() => typeof v === 'object' && Object.values(v as object).every(isAttribute)) === true,
  ),
  clock: checkClock,
  unref: checkBoolean,
};

/** Checks what one call has of its own; see {@link checkOptions} for what it throws. */
export function checkPerCall(perCall: unknown): void {
  checkOptions('the options of a call', perCall, PER_CALL);
}

/** Checks signal and deadline, which are read anew for each call, and may come from anywhere by then. */
export function checkTerms(signal: unknown, deadline: unknown): void {
  // Nearly always one of Node's own, which need not be looked into.
  if (signal !== undefined && !(signal instanceof AbortSignal)) CHECKS.signal('signal', signal);
  if (deadline !== undefined) checkDeadline('deadline', deadline);
}

const PER_CALL: Readonly<Record<string, Check>> = { signal: CHECKS.signal, deadline: checkDeadline };

function checkDeadline(name: string, value: unknown): void {
  const time = isNumber(value) ? value : lookAt(() => (isFunction(read(value, 'getTime')) ? Number(value) : undefined));
  if (time === undefined) throw new TypeError(message(name, value, 'a Date or milliseconds since 1970'));
  if (!Number.isFinite(time)) throw new RangeError(message(name, value, 'a valid Date or milliseconds since 1970'));
}

function checkBackoff(name: string, value: unknown): void {
  if (isFunction(value) || BACKOFFS.includes(value)) return;
  if (!isList(value)) {
    throw new TypeError(
      message(name, value, "'exponential', 'constant', 'linear', 'fibonacci', a list of milliseconds or a function"),
    );
  }
  if (value.length === 0) throw new RangeError(message(name, value, 'a list of at least one delay'));
  // Holes are no delays either, and `forEach` would pass them over.
  for (const [i, delay] of value.entries()) milliseconds(0)(`${name}[${i}]`, delay);
}

function isRetryOn(value: unknown): boolean {
  if (typeof value === 'string' || isFunction(value)) return true;
  // A classifier in a list would be taken for a class of errors that no error is of.
  return isList(value) && value.every(kind => typeof kind === 'string' || isErrorClass(kind));
}

function isAttribute(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
