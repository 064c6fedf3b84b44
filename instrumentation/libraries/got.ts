import { RefusedResultError } from '../../src/engine/errors.ts';
import { read } from '../../src/engine/read.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { attemptsOf, callInfo, requestName } from './call-info.ts';
import { ForeignCall } from './foreign-call.ts';
import type { Library } from './library.ts';
import { applied, type Callable, exported, patchMethod, prototypeOf, withExports, wrapped } from './patching.ts';

/**
 * Requests by promise; streams are not retried unless the user does it by hand. The exported instance is extended by a
 * handler, as got's own documentation does it.
 */
export const got: Library = {
  name: 'got',
  does: 'observes',
  module: 'got',
  versions: ['>=14 <17'],
  patch: exports => {
    const original = exported(exports, 'default');
    const options = prototypeOf(exports, 'Options');
    if (typeof read(options, 'getRequestFunction') !== 'function')
      throw new TypeError('its options are of another shape');
    const instance = applied(read(original, 'extend'), original, [{ handlers: [watched] }]);
    patchMethod(options, 'getRequestFunction', requestFunction);
    return withExports(exports, { default: instance, got: instance });
  },
};

/** The options of one request, as far as they are needed here. */
interface Options {
  readonly method?: unknown;
  readonly url?: unknown;
  readonly isStream?: unknown;
  retry: { readonly limit?: unknown; readonly calculateDelay?: unknown };
}

/** The options are copied for each attempt; their functions stay the same. */
const byCalculation = new WeakMap<object, ForeignCall>();

function watched(options: Options, next: (options: Options) => unknown): unknown {
  const { retry } = options ?? {};
  const calculate = read(retry, 'calculateDelay');
  const maxAttempts = attemptsOf(read(retry, 'limit'), 2);
  const isSeen = typeof calculate === 'function' && byCalculation.has(calculate);
  if (
    runtime.observer === undefined ||
    typeof calculate !== 'function' ||
    isSeen ||
    options.isStream === true ||
    maxAttempts === 1
  ) {
    return next(options);
  }
  const call = new ForeignCall(callInfo(requestName(options.method, options.url), maxAttempts));
  const hearing = wrapped(calculate as Callable, (original, self, args) =>
    hear(call, args[0], applied(original, self, args)),
  );
  byCalculation.set(hearing, call);
  options.retry = { ...retry, calculateDelay: hearing };
  call.begin();
  const result = call.run(() => next(options)) as PromiseLike<unknown>;
  return settled(result, call);
}

/** Takes a promise that can be cancelled for what it is; got puts its methods on this one. */
async function settled(result: PromiseLike<unknown>, call: ForeignCall): Promise<unknown> {
  try {
    const value = await result;
    // A user who wants no errors for statuses is given the last answer after all retries.
    if (call.hasRetried && read(value, 'ok') === false) call.failed(new RefusedResultError());
    call.succeed();
    return value;
  } catch (error) {
    call.giveUp(isAbort(error) ? 'aborted' : call.reasonFor(error), error);
    throw error;
  }
}

/** Asked after each failure: a delay of 0 is a no. */
function hear(call: ForeignCall, facts: unknown, delay: unknown): unknown {
  call.failed(read(facts, 'error'));
  if (typeof delay === 'number') told(call, delay);
  else if (delay instanceof Promise) void delay.then(ms => told(call, ms), ignore);
  return delay;
}

function told(call: ForeignCall, delay: unknown): void {
  if (typeof delay === 'number' && delay > 0 && delay <= LONGEST_DELAY_MS) call.retrying(delay);
}

/** Where got takes a longer delay for a no. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** Asked before each attempt is sent, and before each redirect is followed. */
function requestFunction(original: Callable, self: unknown, args: unknown[]): unknown {
  const request = applied(original, self, args);
  const calculate = read(read(self, 'retry'), 'calculateDelay');
  const call = typeof calculate === 'function' ? byCalculation.get(calculate) : undefined;
  if (call === undefined || typeof request !== 'function') return request;
  return wrapped(request as Callable, (send, sendSelf, sendArgs) => {
    if (call.isWaiting) call.begin();
    return call.run(() => applied(send, sendSelf, sendArgs));
  });
}

function isAbort(error: unknown): boolean {
  const code = read(error, 'code');
  return code === 'ERR_ABORTED' || code === 'ERR_CANCELED' || read(error, 'name') === 'CancelError';
}

function ignore(): void {
  // It is for got to handle.
}
