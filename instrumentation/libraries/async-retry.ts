import type { StopReason } from '../../src/engine/outcome.ts';
import { read } from '../../src/engine/read.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { systemClock } from '../../src/engine/system-clock.ts';
import { attemptsOf, callInfo, functionName } from './call-info.ts';
import { ForeignCall } from './foreign-call.ts';
import type { Library } from './library.ts';
import { applied, type Callable, patchedFunctionModule } from './patching.ts';
import { asOwnerOf } from './retry.ts';
import { watchCall } from './settling.ts';

/** `retry(fn, options)`. Its delays are told by the patched `retry` that it stands on, and measured without that. */
export const asyncRetry: Library = {
  name: 'async-retry',
  does: 'observes',
  module: 'async-retry',
  versions: ['>=1.3 <2'],
  patch: exports => patchedFunctionModule(exports, watched),
};

function watched(original: Callable, self: unknown, args: unknown[]): unknown {
  const [fn, options, ...rest] = args;
  const maxAttempts = read(options, 'forever') ? Infinity : attemptsOf(read(options, 'retries'), 10);
  if (runtime.observer === undefined || typeof fn !== 'function' || maxAttempts === 1) {
    return applied(original, self, args);
  }
  const call = new ForeignCall(callInfo(functionName(fn, 'async-retry'), maxAttempts));
  function attempt(this: unknown, ...attemptArgs: unknown[]): unknown {
    return asOwnerOf(undefined, () => call.attempt(() => applied(fn, this, attemptArgs)));
  }
  const startedAt = systemClock.now();
  const limitMs = Number(read(options, 'maxRetryTime') || Infinity);
  return watchCall(
    asOwnerOf(call, () => applied(original, self, [attempt, options, ...rest])),
    () => call.succeed(),
    error => {
      const isLate = systemClock.now() - startedAt >= limitMs;
      call.giveUp(read(error, 'bail') ? 'not_retryable' : reasonOf(call, error, isLate ? 'late' : 'in time'), error);
    },
  );
}

function reasonOf(call: ForeignCall, error: unknown, at: 'late' | 'in time'): StopReason {
  const reason = call.reasonFor(error);
  return reason === 'not_retryable' && at === 'late' ? 'deadline_exceeded' : reason;
}
