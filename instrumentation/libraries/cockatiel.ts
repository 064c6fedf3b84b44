import { RefusedResultError } from '../../src/engine/errors.ts';
import { read } from '../../src/engine/read.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { attemptsOf, callInfo, functionName } from './call-info.ts';
import { ForeignCall } from './foreign-call.ts';
import type { Library } from './library.ts';
import { applied, type Callable, patchMethod, prototypeOf } from './patching.ts';
import { watchCall } from './settling.ts';

/** `RetryPolicy.execute()`, also as a part of `wrap()`. */
export const cockatiel: Library = {
  name: 'cockatiel',
  does: 'observes',
  module: 'cockatiel',
  versions: ['>=3 <5'],
  patch: exports => {
    const prototype = prototypeOf(exports, 'RetryPolicy');
    patchMethod(prototype, 'execute', watched);
    return exports;
  },
};

/** What an attempt has brought, in the library's own words. */
type Brought = { readonly success: unknown } | { readonly error: unknown } | { readonly value: unknown };

interface Executor {
  invoke(fn: unknown, ...args: unknown[]): Promise<Brought>;
}

interface Emitter {
  emit(event: unknown): unknown;
}

/** The policy, as far as one call is concerned: what it tells its listeners belongs to no call. */
function watched(original: Callable, self: unknown, args: unknown[]): unknown {
  const [fn, signal] = args;
  const executor = read(self, 'executor') as Executor | undefined;
  const retries = read(self, 'onRetryEmitter') as Emitter | undefined;
  const givesUp = read(self, 'onGiveUpEmitter') as Emitter | undefined;
  const maxAttempts = attemptsOf(read(read(self, 'options'), 'maxAttempts'), Infinity);
  const isKnown = typeof executor?.invoke === 'function' && retries !== undefined && givesUp !== undefined;
  if (runtime.observer === undefined || typeof fn !== 'function' || !isKnown || maxAttempts === 1) {
    return applied(original, self, args);
  }
  const call = new ForeignCall(callInfo(functionName(fn, 'cockatiel'), maxAttempts));
  const reasonFor = (error: unknown) => (read(signal, 'aborted') === true ? 'aborted' : call.reasonFor(error));
  const emitter = (of: Emitter, hear: (event: unknown) => void): PropertyDescriptor => ({
    value: {
      emit: (event: unknown) => {
        hear(event);
        return of.emit(event);
      },
    },
  });
  const view = Object.create(self as object, {
    executor: { value: { invoke: (work: unknown, ...rest: unknown[]) => invoke(call, executor, work, rest) } },
    onRetryEmitter: emitter(retries, event => call.retrying(Number(read(event, 'delay')))),
    onGiveUpEmitter: emitter(givesUp, event => {
      const error = errorOf(event as Brought);
      call.giveUp(reasonFor(error), error);
    }),
  });
  return watchCall(
    applied(original, view, args),
    () => call.succeed(),
    error => call.giveUp(reasonFor(error), error),
  );
}

/** The executor knows which errors and which results count as failures. */
function invoke(call: ForeignCall, executor: Executor, work: unknown, rest: unknown[]): Promise<Brought> {
  const attempt = call.begin();
  const brought = call.run(() => executor.invoke(work, ...rest));
  void brought.then(
    result => {
      if (!('success' in result)) call.failed(errorOf(result), attempt);
    },
    error => call.failed(error, attempt),
  );
  return brought;
}

function errorOf(brought: Brought): unknown {
  return 'error' in brought ? brought.error : new RefusedResultError();
}
