import { read } from '../../src/engine/read.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { callInfo, functionName } from './call-info.ts';
import { ForeignCall } from './foreign-call.ts';
import type { Library } from './library.ts';
import { applied, type Callable, exported, patched, withExports } from './patching.ts';
import { watchCall } from './settling.ts';

/** `backOff(request, options)`. Its delays are measured. */
export const exponentialBackoff: Library = {
  name: 'exponential-backoff',
  does: 'observes',
  module: 'exponential-backoff',
  versions: ['>=3 <4'],
  patch: exports => withExports(exports, { backOff: patched(exported(exports, 'backOff'), watched) }),
};

function watched(original: Callable, self: unknown, args: unknown[]): unknown {
  const [request, options, ...rest] = args;
  const given = read(options, 'numOfAttempts');
  const maxAttempts = typeof given === 'number' ? Math.max(1, given) : 10;
  if (runtime.observer === undefined || typeof request !== 'function' || maxAttempts === 1) {
    return applied(original, self, args);
  }
  const call = new ForeignCall(callInfo(functionName(request, 'exponential-backoff'), maxAttempts));
  function attempt(this: unknown, ...attemptArgs: unknown[]): unknown {
    return call.attempt(() => applied(request, this, attemptArgs));
  }
  return watchCall(
    applied(original, self, [attempt, options, ...rest]),
    () => call.succeed(),
    error => call.giveUp(call.reasonFor(error), error),
  );
}
