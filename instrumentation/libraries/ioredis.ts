import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { read } from '../../src/engine/read.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { callInfo } from './call-info.ts';
import { ForeignCall } from './foreign-call.ts';
import type { Library } from './library.ts';
import { applied, type Callable, patchMethod, prototypeOf } from './patching.ts';

/**
 * Connecting and reconnecting, as the operation `ioredis connect`: a call from the first try to the one that is ready.
 * What `maxRetriesPerRequest` does to single commands follows from it, and is not told.
 */
export const ioredis: Library = {
  name: 'ioredis',
  does: 'observes',
  module: 'ioredis',
  versions: ['>=5 <7'],
  patch: exports => {
    const prototype = prototypeOf(exports, 'default');
    for (const name of ['connect', 'disconnect', 'setStatus', 'silentEmit']) {
      if (typeof read(prototype, name) !== 'function') throw new TypeError(`a client has no ${name}`);
    }
    patchMethod(prototype, 'connect', connect);
    patchMethod(prototype, 'disconnect', disconnect);
    patchMethod(prototype, 'setStatus', setStatus);
    patchMethod(prototype, 'silentEmit', noteError);
    return exports;
  },
};

interface Connecting {
  readonly call: ForeignCall;
  /** What the client has last complained of. */
  error: unknown;
}

const connecting = new WeakMap<object, Connecting>();

/** The socket is opened in the attempt's context. */
function connect(original: Callable, self: unknown, args: unknown[]): unknown {
  const status = read(self, 'status');
  const isBusy = status === 'connecting' || status === 'connect' || status === 'ready';
  const reconnects = typeof read(read(self, 'options'), 'retryStrategy') === 'function';
  if (runtime.observer === undefined || isBusy || !reconnects) return applied(original, self, args);
  const client = self as object;
  const call = connecting.get(client)?.call ?? new ForeignCall(callInfo('ioredis connect', Infinity));
  connecting.set(client, { call, error: undefined });
  // A client that reconnects by itself does so in the context of whoever used it first, long ago.
  if (status === 'reconnecting') context.with(ROOT_CONTEXT, () => call.begin());
  else call.begin();
  return call.run(() => applied(original, self, args));
}

/** While it waits for its next try, no status tells that there will be none. */
function disconnect(original: Callable, self: unknown, args: unknown[]): unknown {
  const known = connecting.get(self as object);
  if (known?.call.isWaiting === true && args[0] !== true) {
    connecting.delete(self as object);
    known.call.giveUp('aborted', known.error);
  }
  return applied(original, self, args);
}

function setStatus(original: Callable, self: unknown, args: unknown[]): unknown {
  const known = connecting.get(self as object);
  if (known !== undefined) hear(known, self as object, args);
  return applied(original, self, args);
}

function hear({ call, error }: Connecting, client: object, [status, delayMs]: unknown[]): void {
  switch (status) {
    case 'ready':
      connecting.delete(client);
      call.succeed();
      break;
    case 'close':
      call.failed(error ?? new Error('the connection was closed'));
      if (read(client, 'manuallyClosing') === true) call.giveUp('aborted', error);
      break;
    case 'reconnecting':
      call.retrying(Number(delayMs));
      break;
    case 'end':
      connecting.delete(client);
      call.giveUp(call.hasRetried ? 'attempts_exhausted' : 'not_retryable', error);
      break;
  }
}

function noteError(original: Callable, self: unknown, args: unknown[]): unknown {
  const known = connecting.get(self as object);
  if (known !== undefined && args[0] === 'error') known.error = args[1];
  return applied(original, self, args);
}
