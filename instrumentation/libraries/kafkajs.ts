import { read } from '../../src/engine/read.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { attemptsOf, callInfo } from './call-info.ts';
import { ForeignCall } from './foreign-call.ts';
import type { Library } from './library.ts';
import { applied, type Callable, patchedFunctionModule, wrapped } from './patching.ts';
import { watchCall } from './settling.ts';

/** Everything that kafkajs retries by itself: sending, connecting, metadata, joining a group, commits, administration. */
export const kafkajs: Library = {
  name: 'kafkajs',
  does: 'observes',
  module: 'kafkajs',
  versions: ['>=2 <3'],
  file: 'src/retry/index.js',
  patch: exports =>
    patchedFunctionModule(exports, (createRetry, self, args) =>
      wrapped(applied(createRetry, self, args) as Callable, (retrier, retrierSelf, retrierArgs) =>
        watched(retrier, retrierSelf, retrierArgs, read(args[0], 'retries')),
      ),
    ),
};

/** What kafkajs takes where nobody says otherwise. */
const DEFAULT_RETRIES = 5;

function watched(retrier: Callable, self: unknown, args: unknown[], retries: unknown): unknown {
  const [fn, ...rest] = args;
  const maxAttempts = attemptsOf(retries, DEFAULT_RETRIES);
  if (runtime.observer === undefined || typeof fn !== 'function' || maxAttempts === 1 || isFetchLoop(fn)) {
    return applied(retrier, self, args);
  }
  const call = new ForeignCall(callInfo('kafkajs', maxAttempts));
  function attempt(this: unknown, ...attemptArgs: unknown[]): unknown {
    return call.attempt(() => applied(fn, this, attemptArgs));
  }
  return watchCall(
    applied(retrier, self, [attempt, ...rest]),
    () => call.succeed(),
    // What the caller gets wraps what the last attempt threw.
    error => call.giveUp(call.reasonFor(error), error),
  );
}

/**
 * A consumer runs its whole life inside the retries of one such function, which is no call that somebody waits for. Only
 * its text tells it from a commit of offsets, which goes through the same retries.
 */
function isFetchLoop(fn: unknown): boolean {
  return Function.prototype.toString.call(fn).includes('fetchManager.start()');
}
