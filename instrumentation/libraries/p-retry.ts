import type { StopReason } from '../../src/engine/outcome.ts';
import { read } from '../../src/engine/read.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { systemClock } from '../../src/engine/system-clock.ts';
import { attemptsOf, callInfo, functionName } from './call-info.ts';
import { ForeignCall } from './foreign-call.ts';
import type { Library } from './library.ts';
import { applied, type Callable, patched, withExports, wrapped } from './patching.ts';
import { watchCall } from './settling.ts';

/** `pRetry(fn, options)` and `makeRetriable(fn, options)`. Before version 9 the delays are measured, after it told. */
export const pRetry: Library = {
  name: 'p-retry',
  does: 'observes',
  module: 'p-retry',
  versions: ['>=7 <10'],
  patch: exports => {
    const original = read(exports, 'default') as Callable;
    return withExports(exports, {
      default: patched(original, (target, self, [fn, options]) => watched(fn, options, fn, target.bind(self))),
      makeRetriable: patched(read(exports, 'makeRetriable'), (target, self, [fn, options]) =>
        wrapped(applied(target, self, [fn, options]), (_retriable, retriableSelf, args) =>
          watched(() => applied(fn, retriableSelf, args), options, fn, original),
        ),
      ),
    });
  },
};

type Retry = (fn: unknown, options: unknown) => unknown;

function watched(fn: unknown, options: unknown, named: unknown, retry: Retry): unknown {
  if (runtime.observer === undefined || typeof fn !== 'function') return retry(fn, options);
  const given = copyOf(options);
  if (given === undefined) return retry(fn, options);
  const maxAttempts = attemptsOf(given.retries, 10);
  if (maxAttempts === 1) return retry(fn, given);
  const call = new ForeignCall(callInfo(functionName(named, 'p-retry'), maxAttempts));
  const startedAt = systemClock.now();
  const { shouldRetry } = given;
  if (shouldRetry === undefined || shouldRetry === null || typeof shouldRetry === 'function') {
    given.shouldRetry = hearing(call, shouldRetry ?? (() => true));
  }
  return watchCall(
    retry(function (this: unknown, ...args: unknown[]) {
      return call.attempt(() => applied(fn, this, args));
    }, given),
    () => call.succeed(),
    error => call.giveUp(reasonOf(call, error, given, systemClock.now() - startedAt), error),
  );
}

/** The library makes this copy as well; what cannot be copied is left for it to complain about. */
function copyOf(options: unknown): Record<string, unknown> | undefined {
  try {
    return { ...(options as Record<string, unknown>) };
  } catch {
    return undefined;
  }
}

/** The user's predicate is asked last: after its yes, only the wait follows. */
function hearing(call: ForeignCall, shouldRetry: unknown): Callable {
  return function (this: unknown, ...args: unknown[]) {
    const verdict = applied(shouldRetry, this, args);
    const delayMs = read(args[0], 'retryDelay');
    if (verdict === true && typeof delayMs === 'number') call.retrying(delayMs);
    return verdict;
  };
}

function reasonOf(call: ForeignCall, error: unknown, options: Record<string, unknown>, elapsedMs: number): StopReason {
  if (read(options.signal, 'aborted') === true) return 'aborted';
  // The library takes off the wrapper by which a user says "no more".
  if (read(call.failure?.error, 'originalError') !== undefined) return 'not_retryable';
  const reason = call.reasonFor(error);
  return reason === 'not_retryable' && elapsedMs >= Number(options.maxRetryTime ?? Infinity)
    ? 'deadline_exceeded'
    : reason;
}
