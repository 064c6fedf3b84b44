import { read } from '../../src/engine/read.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { systemClock } from '../../src/engine/system-clock.ts';
import { adapterOf, noteAxios } from './axios-adapters.ts';
import { attemptsOf, callInfo, requestName } from './call-info.ts';
import { ForeignCall } from './foreign-call.ts';
import type { Library } from './library.ts';
import { applied, type Callable, exported, patched, patchedFunctionModule, withExports } from './patching.ts';
import { watchCall } from './settling.ts';

/** `axiosRetry(instance, options)`: the requests of that instance. Its delays are measured. */
export const axiosRetry: Library = {
  name: 'axios-retry',
  does: 'observes',
  module: 'axios-retry',
  versions: ['>=4 <5'],
  patch: exports =>
    typeof exports === 'function'
      ? patchedFunctionModule(exports, install)
      : withExports(exports, { default: patchedDefault(exported(exports, 'default')) }),
};

/** Changes nothing in axios: it is where the adapters are found by which an attempt is sent. */
export const axiosOfRetry: Library = {
  name: 'axios-retry',
  does: 'observes',
  module: 'axios',
  versions: ['>=1.5 <2'],
  patch: exports => {
    noteAxios(exports);
    return exports;
  },
};

/** Imported from an ES module, a CommonJS package is its exports, and the function hangs on `default` of that. */
function patchedDefault(original: unknown): unknown {
  return typeof original === 'function'
    ? patched(original, install)
    : withExports(original, { default: patched(read(original, 'default'), install) });
}

/** An attempt that axios was given to send. Its error is not kept here: errors of axios hold the config. */
interface Sent {
  readonly call: ForeignCall;
  readonly attempt: object | undefined;
  failed: { readonly at: number; readonly code: unknown } | undefined;
}

/** A request on its way: its config while an attempt runs, its adapter between attempts. */
const byConfig = new WeakMap<object, Sent>();
const byAdapter = new WeakMap<object, { readonly call: ForeignCall; readonly inner: unknown }>();
/** Another interceptor has taken the failure for itself: no retry follows, and nobody says so. */
const forgotten = new FinalizationRegistry<Sent>(({ call, attempt, failed }) => {
  if (failed === undefined || !call.isUnderWay(attempt)) return;
  const error = Object.assign(new Error('the request failed'), { code: failed.code });
  call.failed(error, attempt, failed.at);
  call.giveUp('not_retryable', error);
});

interface Config {
  adapter?: unknown;
  readonly method?: unknown;
  readonly url?: unknown;
  readonly baseURL?: unknown;
}

/** The library sees the instance through a proxy: its interceptors are wrapped, and its retries are recognised. */
function install(original: Callable, self: unknown, args: unknown[]): unknown {
  const [instance, options, ...rest] = args;
  const interceptors = read(instance, 'interceptors');
  const request = read(interceptors, 'request');
  const response = read(interceptors, 'response');
  if (typeof instance !== 'function' || !canUse(request) || !canUse(response)) return applied(original, self, args);
  const wrappedInterceptors = {
    request: {
      use: (onRequest: unknown, ...more: unknown[]) => request.use(beforeRequest(onRequest, instance), ...more),
    },
    response: {
      use: (onValue: unknown, onError: unknown, ...more: unknown[]) =>
        response.use(onValue, afterFailure(onError), ...more),
    },
  };
  const view = new Proxy(instance as unknown as Callable, {
    get: (target, key) => (key === 'interceptors' ? wrappedInterceptors : Reflect.get(target, key)),
    apply: (target, targetSelf, callArgs) => {
      return carried(callArgs[0], () => Reflect.apply(target, targetSelf, callArgs));
    },
  });
  return applied(original, self, [view, options, ...rest]);
}

/**
 * Sends a request again: axios copies the config at once, but no more of it than the options that it knows. So the call
 * travels in the place of the adapter, until the interceptor meets it.
 */
function carried<R>(config: unknown, resend: () => R): R {
  const call = isObject(config) ? byConfig.get(config)?.call : undefined;
  if (call === undefined || call.isEnded) return resend();
  const own = config as Config;
  const inner = own.adapter;
  own.adapter = carrierOf(call, inner);
  try {
    return resend();
  } finally {
    own.adapter = inner;
  }
}

function beforeRequest(onRequest: unknown, instance: unknown): unknown {
  if (typeof onRequest !== 'function') return onRequest;
  return function (this: unknown, ...args: unknown[]) {
    const config = applied(onRequest, this, args);
    if (runtime.observer === undefined || !isObject(config)) return config;
    const own = config as Config;
    const carrier = isObject(own.adapter) ? byAdapter.get(own.adapter) : undefined;
    const maxAttempts = maxAttemptsOf(own);
    if (carrier === undefined && maxAttempts === 1) return config;
    const call = carrier?.call ?? new ForeignCall(callInfo(nameOf(own), maxAttempts));
    const inner = carrier === undefined ? own.adapter : carrier.inner;
    const send = adapterOf(inner ?? read(read(instance, 'defaults'), 'adapter'), instance, own);
    own.adapter = send === undefined ? inner : sending(call, inner, send);
    return config;
  };
}

/** Takes the adapter's place for one attempt, and puts it back at once: the config is seen by others. */
function sending(call: ForeignCall, inner: unknown, send: Callable): Callable {
  const adapter = function (this: unknown, ...args: unknown[]): unknown {
    const config = args[0] as Config;
    config.adapter = inner;
    const sent: Sent = { call, attempt: call.begin(), failed: undefined };
    byConfig.set(config, sent);
    forgotten.register(config, sent);
    const fail = (error: unknown): void => {
      sent.failed = { at: systemClock.now(), code: read(error, 'code') };
    };
    try {
      return watchCall(
        call.run(() => applied(send, this, args)),
        () => call.succeed(),
        fail,
      );
    } catch (error) {
      fail(error);
      throw error;
    }
  };
  byAdapter.set(adapter, { call, inner });
  return adapter;
}

function carrierOf(call: ForeignCall, inner: unknown): Callable {
  const carrier = (): never => {
    throw new Error('the request was never prepared');
  };
  byAdapter.set(carrier, { call, inner });
  return carrier;
}

/** Settles when the request does: the retries of a request run inside the handler of its first failure. */
function afterFailure(onError: unknown): unknown {
  if (typeof onError !== 'function') return onError;
  return function (this: unknown, ...args: unknown[]) {
    const config = read(args[0], 'config');
    const sent = isObject(config) ? seen(config, args[0]) : undefined;
    const result = applied(onError, this, args);
    if (sent === undefined) return result;
    const { call } = sent;
    return watchCall(
      result,
      () => call.accept(),
      error => call.giveUp(read(read(config, 'signal'), 'aborted') === true ? 'aborted' : call.reasonFor(error), error),
    );
  };
}

/** The attempt that has failed. One that was aborted before it was sent has left our adapter in its config. */
function seen(config: object, error: unknown): Sent | undefined {
  const own = config as Config;
  const unsent = isObject(own.adapter) ? byAdapter.get(own.adapter) : undefined;
  if (unsent !== undefined) own.adapter = unsent.inner;
  const sent = byConfig.get(config);
  if (sent !== undefined) sent.call.failed(error, sent.attempt, sent.failed?.at);
  return sent;
}

function nameOf(config: Config): string {
  const { url, baseURL } = config;
  const isWhole = typeof url === 'string' && /^[a-z][a-z\d+.-]*:/i.test(url);
  return requestName(config.method, isWhole || baseURL === undefined ? url : baseURL);
}

/** The library writes its options into the config before each attempt. */
function maxAttemptsOf(config: Config): number {
  return attemptsOf(read(read(config, 'axios-retry'), 'retries'), 3);
}

interface Interceptors {
  use(...handlers: unknown[]): unknown;
}

function canUse(interceptors: unknown): interceptors is Interceptors {
  return typeof read(interceptors, 'use') === 'function';
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
