import { read } from '../../src/engine/read.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { attemptsOf, callInfo, requestName } from './call-info.ts';
import { ForeignCall } from './foreign-call.ts';
import type { Library } from './library.ts';
import { applied, type Callable, exported, patchMethod, prototypeOf, wrapped } from './patching.ts';

/**
 * Requests through a `RetryAgent`, `interceptors.retry()` or a `RetryHandler`. Its delays are measured. A call ends with
 * the response's body, since a body that breaks off is fetched on by another attempt.
 */
export const undici: Library = {
  name: 'undici',
  does: 'observes',
  module: 'undici',
  versions: ['>=6.7 <9'],
  patch: exports => {
    const handler = prototypeOf(exports, 'RetryHandler');
    const interceptors = exported(exports, 'interceptors');
    const agent = prototypeOf(exports, 'RetryAgent');
    patchMethod(agent, 'dispatch', (original, self, args) =>
      // How many retries an agent makes is known to itself alone, until its handler is seen.
      dispatched(args[0], Infinity, request => applied(original, self, [request, ...args.slice(1)])),
    );
    if (typeof read(interceptors, 'retry') === 'function') {
      patchMethod(interceptors as object, 'retry', (original, self, args) =>
        composer(applied(original, self, args), args[0]),
      );
    }
    for (const name of EARLIEST) {
      if (typeof read(handler, name) !== 'function') continue;
      patchMethod(handler, name, (original, self, args) => {
        adopt(self as RetryHandler);
        return applied(original, self, args);
      });
    }
    return exports;
  },
};

/** What a retry handler may be told first: of a connection, a response or an error, before undici 7 and after. */
const EARLIEST = ['onConnect', 'onRequestStart', 'onHeaders', 'onResponseStart', 'onError', 'onResponseError'];

/** How a request carries its call from where it is dispatched to the handler that retries it. */
const CALL: unique symbol = Symbol('retryscope call');

interface Request {
  readonly method?: unknown;
  readonly origin?: unknown;
  readonly [CALL]?: ForeignCall;
}

/** A retry handler: it keeps what it needs in plain fields. */
interface RetryHandler {
  readonly opts: Request;
  readonly retryOpts: { retry: unknown; readonly maxRetries?: unknown };
  dispatch: unknown;
  handler: unknown;
}

const adopted = new WeakSet<object>();

function composer(compose: unknown, options: unknown): unknown {
  return wrapped(compose as Callable, (original, self, args) =>
    wrapped(applied(original, self, args) as Callable, (intercept, interceptSelf, [request, ...rest]) => {
      const maxRetries = read(read(request, 'retryOptions'), 'maxRetries') ?? read(options, 'maxRetries');
      return dispatched(request, attemptsOf(maxRetries, DEFAULT_RETRIES), changed =>
        applied(intercept, interceptSelf, [changed, ...rest]),
      );
    }),
  );
}

/** What undici takes where nobody says otherwise. */
const DEFAULT_RETRIES = 5;

/** The first attempt: the one that the retry handler does not send by itself. */
function dispatched(request: unknown, maxAttempts: number, dispatch: (request: unknown) => unknown): unknown {
  const isRequest = typeof request === 'object' && request !== null;
  if (runtime.observer === undefined || !isRequest || maxAttempts === 1) return dispatch(request);
  const call = callOf(request, maxAttempts);
  call.begin();
  try {
    return call.run(() => dispatch({ ...request, [CALL]: call }));
  } catch (error) {
    call.giveUp('not_retryable', error);
    throw error;
  }
}

/** From here on, a retry handler tells of what it does. */
function adopt(handler: RetryHandler): void {
  if (adopted.has(handler)) return;
  adopted.add(handler);
  const { opts, retryOpts } = handler;
  const maxAttempts = attemptsOf(read(retryOpts, 'maxRetries'), DEFAULT_RETRIES);
  const carried = opts[CALL];
  // The same request may pass through another retry handler, further down.
  const isOurs = carried !== undefined && !adopted.has(carried);
  if (!isOurs && (runtime.observer === undefined || maxAttempts === 1)) return;
  const call = isOurs ? carried : callOf(opts, maxAttempts);
  adopted.add(call);
  if (!isOurs) call.begin();
  handler.dispatch = wrapped(handler.dispatch, (dispatch, self, args) => {
    call.begin();
    return call.run(() => applied(dispatch, self, args));
  });
  retryOpts.retry = wrapped(retryOpts.retry, (retry, self, args) => {
    call.failed(args[0]);
    return applied(retry, self, args);
  });
  handler.handler = listening(handler.handler as object, call, maxAttempts);
}

/** What the user's own handler is told last is how the call ends. */
function listening(handler: object, call: ForeignCall, maxAttempts: number): object {
  const giveUp = (error: unknown): void => call.giveUp(call.reasonFor(error, maxAttempts), error);
  const endings: Readonly<Record<string, (args: unknown[]) => void>> = {
    onComplete: () => call.succeed(),
    onResponseEnd: () => call.succeed(),
    onUpgrade: () => call.succeed(),
    onRequestUpgrade: () => call.succeed(),
    onError: args => giveUp(args[0]),
    onResponseError: args => giveUp(args[1]),
  };
  return new Proxy(handler, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      const ending = typeof key === 'string' && Object.hasOwn(endings, key) ? endings[key] : undefined;
      return (...args: unknown[]): unknown => {
        ending?.(args);
        return applied(value, target, args);
      };
    },
  });
}

function callOf(request: Request, maxAttempts: number): ForeignCall {
  return new ForeignCall(callInfo(requestName(request.method, request.origin), maxAttempts));
}
