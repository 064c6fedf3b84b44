import { types } from 'node:util';
import type { StopReason } from '../../src/engine/outcome.ts';
import { read } from '../../src/engine/read.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { callInfo, functionName } from './call-info.ts';
import { ForeignCall } from './foreign-call.ts';
import type { Library } from './library.ts';
import { applied, type Callable, exported, patchMethod } from './patching.ts';

/**
 * `retry.operation()`, by its methods `attempt` and `retry`. The library never learns of a success that is not told by
 * `retry()` without an error; such a call ends when its operation is collected.
 */
export const retry: Library = {
  name: 'retry',
  does: 'observes',
  module: 'retry',
  versions: ['>=0.12 <0.14'],
  patch: exports => {
    const operation = exported(exports, 'operation');
    const prototype: unknown = Object.getPrototypeOf(applied(operation, moduleOf(exports), [{ retries: 0 }]));
    for (const name of ['attempt', 'retry', 'stop']) {
      if (typeof read(prototype, name) !== 'function') throw new TypeError(`an operation has no ${name}`);
    }
    const owner = prototype as object;
    patchMethod(owner, 'attempt', attempt);
    patchMethod(owner, 'retry', decide);
    patchMethod(owner, 'stop', stop);
    return exports;
  },
};

/**
 * Runs what a library does that keeps an operation of `retry` inside: the operation has no call of its own, and tells
 * this one of its delays.
 */
export function asOwnerOf<R>(call: ForeignCall | undefined, fn: () => R): R {
  const outer = owner;
  owner = call;
  try {
    return fn();
  } finally {
    owner = outer;
  }
}

/** What is known of an operation. */
interface Watched {
  readonly call: ForeignCall;
  /** True when its attempts and its end are told by the library that keeps it. */
  readonly isOwned: boolean;
  /** Takes the user's function's place in the operation, but only where the next thing to happen is that it is called. */
  readonly attempt?: Callable;
  /** What `retry()` was told last. */
  lastError?: unknown;
}

interface Operation {
  _fn: unknown;
}

let owner: ForeignCall | undefined;
const operations = new WeakMap<object, Watched>();
/** Whoever loses an operation without another word has no more failures to tell of. */
const forgotten = new FinalizationRegistry<ForeignCall>(call => call.succeed());

function attempt(original: Callable, self: unknown, args: unknown[]): unknown {
  const [fn, ...rest] = args;
  const operation = self as object;
  if (owner !== undefined) {
    operations.set(operation, { call: owner, isOwned: true });
    return applied(original, self, args);
  }
  const maxAttempts = attemptsOfOperation(operation);
  if (runtime.observer === undefined || typeof fn !== 'function' || maxAttempts === 1) {
    return applied(original, self, args);
  }
  // An operation that is used anew has let the call before go.
  operations.get(operation)?.call.succeed();
  const call = new ForeignCall(callInfo(functionName(fn, 'retry'), maxAttempts));
  const watched = attemptOf(call, fn as Callable);
  operations.set(operation, { call, isOwned: false, attempt: watched });
  forgotten.register(operation, call);
  return applied(original, self, [watched, ...rest]);
}

/** Listens to no promise but that of an async function: nobody handles a rejection here, and listening would hide it. */
function attemptOf(call: ForeignCall, fn: Callable): Callable {
  return function (this: unknown, ...args: unknown[]) {
    (this as Operation)._fn = fn;
    if (call.isEnded) return applied(fn, this, args);
    const under = call.begin();
    let result: unknown;
    try {
      result = call.run(() => applied(fn, this, args));
    } catch (error) {
      call.giveUp('not_retryable', error);
      throw error;
    }
    // That one is nobody else's; where it is rejected, the one that is made here stays unhandled in its place.
    if (types.isAsyncFunction(fn)) {
      void (result as Promise<unknown>).then(
        () => {
          if (call.isUnderWay(under)) call.succeed();
        },
        error => {
          if (call.isUnderWay(under)) call.giveUp('not_retryable', error);
          throw error;
        },
      );
    }
    return result;
  };
}

function decide(original: Callable, self: unknown, args: unknown[]): unknown {
  const watched = operations.get(self as object);
  if (watched === undefined) return applied(original, self, args);
  const delayMs = nextDelay(self);
  const again = applied(original, self, args);
  const [error] = args;
  const { call, isOwned } = watched;
  watched.lastError = error;
  if (again === true) {
    if (watched.attempt !== undefined) (self as Operation)._fn = watched.attempt;
    call.failed(error);
    if (delayMs !== undefined) call.retrying(delayMs);
  } else if (!isOwned) {
    if (error) call.giveUp(reasonOf(call, error, self), error);
    else call.succeed();
  }
  return again;
}

function stop(original: Callable, self: unknown, args: unknown[]): unknown {
  const watched = operations.get(self as object);
  // In the middle of an attempt it only says that there will be no other.
  if (watched?.isOwned === false && watched.call.isWaiting) watched.call.giveUp('aborted', watched.lastError);
  return applied(original, self, args);
}

function reasonOf(call: ForeignCall, error: unknown, operation: unknown): StopReason {
  const errors = read(operation, '_errors');
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  return read(first, 'message') === 'RetryOperation timeout occurred' ? 'deadline_exceeded' : call.reasonFor(error);
}

function attemptsOfOperation(operation: unknown): number {
  if (read(read(operation, '_options'), 'forever')) return Infinity;
  const timeouts = read(operation, '_timeouts');
  return Array.isArray(timeouts) ? timeouts.length + 1 : Infinity;
}

function nextDelay(operation: unknown): number | undefined {
  const timeouts = read(operation, '_timeouts');
  const repeated = read(operation, '_cachedTimeouts');
  const list: unknown = Array.isArray(timeouts) && timeouts.length > 0 ? timeouts : repeated;
  // Version 0.13 repeats the last delay for ever, where 0.12 begins anew.
  const isLast = list === repeated && read(operation, '_timer') !== undefined;
  const next: unknown = Array.isArray(list) ? list.at(isLast ? -1 : 0) : undefined;
  return typeof next === 'number' ? next : undefined;
}

function moduleOf(exports: unknown): unknown {
  return typeof read(exports, 'timeouts') === 'function' ? exports : read(exports, 'default');
}
