import type { StopReason } from '../../src/engine/outcome.ts';
import { read } from '../../src/engine/read.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { callInfo } from './call-info.ts';
import { ForeignCall } from './foreign-call.ts';
import type { Library } from './library.ts';
import { applied, type Callable, exported, patched, withExports, wrapped } from './patching.ts';
import { watchCall } from './settling.ts';

/** The middleware that retries the commands of every client of the AWS SDK, and of others that Smithy has generated. */
export const smithyCore: Library = {
  name: 'aws-sdk',
  does: 'observes',
  module: '@smithy/core',
  versions: ['>=3.33 <4'],
  file: 'dist-cjs/submodules/retry/index.js',
  patch: patchMiddleware,
};

/** The same, where it stood before; in its newest versions it hands on what `@smithy/core` exports. */
export const smithyMiddleware: Library = {
  name: 'aws-sdk',
  does: 'observes',
  module: '@smithy/middleware-retry',
  versions: ['>=3 <5'],
  patch: patchMiddleware,
};

interface Stack {
  add(middleware: Callable, ...rest: unknown[]): unknown;
}

function patchMiddleware(exports: unknown): unknown {
  return withExports(exports, {
    getRetryPlugin: patched(exported(exports, 'getRetryPlugin'), (getPlugin, self, args) => {
      const plugin = applied(getPlugin, self, args) as { applyToStack(stack: Stack): unknown };
      return { ...plugin, applyToStack: (stack: Stack) => plugin.applyToStack(watchedStack(stack)) };
    }),
  });
}

/** The client's stack, as the plugin sees it: the middleware that it adds is watched. */
function watchedStack(stack: Stack): Stack {
  return new Proxy(stack, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (key !== 'add') return value;
      return (middleware: Callable, ...rest: unknown[]) => target.add(patched(middleware, watchedMiddleware), ...rest);
    },
  });
}

function watchedMiddleware(middleware: Callable, self: unknown, [next, context]: unknown[]): unknown {
  const direct = applied(middleware, self, [next, context]) as Callable;
  return wrapped(direct, (_handler, handlerSelf, args) => {
    if (runtime.observer === undefined) return applied(direct, handlerSelf, args);
    return watchedCommand(middleware, next, context, args);
  });
}

function watchedCommand(middleware: Callable, next: unknown, context: unknown, args: unknown[]): unknown {
  let call: ForeignCall | undefined;
  const attempt = (...nextArgs: unknown[]): unknown => {
    const send = (): unknown => applied(next, undefined, nextArgs);
    // The middleware writes it into the request before each attempt; it asks for it only when it starts.
    const maxAttempts = maxAttemptsOf(nextArgs[0]);
    if (maxAttempts === 1) return send();
    call ??= new ForeignCall(callInfo(commandName(context), maxAttempts));
    return call.attempt(send);
  };
  const handler = applied(middleware, undefined, [attempt, context]) as Callable;
  return watchCall(
    applied(handler, undefined, args),
    () => call?.succeed(),
    error => call?.giveUp(reasonOf(call, error), error),
  );
}

/** `STS.GetCallerIdentity`. */
function commandName(context: unknown): string {
  const client = nameWithout(read(context, 'clientName'), /Client$/);
  const command = nameWithout(read(context, 'commandName'), /Command$/);
  return [client, command].filter(Boolean).join('.') || 'aws-sdk';
}

function nameWithout(name: unknown, ending: RegExp): string {
  return typeof name === 'string' ? name.replace(ending, '') : '';
}

function maxAttemptsOf(args: unknown): number {
  const header = read(read(read(args, 'request'), 'headers'), 'amz-sdk-request');
  const max = typeof header === 'string' ? Number(/max=(\d+)/.exec(header)?.[1]) : Number.NaN;
  return max >= 1 ? max : DEFAULT_ATTEMPTS;
}

/** What the SDK takes where nobody says otherwise. */
const DEFAULT_ATTEMPTS = 3;

/** An error that the SDK would have retried, with attempts left: its own budget of retries was empty. */
function reasonOf(call: ForeignCall, error: unknown): StopReason {
  const reason = call.reasonFor(error);
  if (reason !== 'not_retryable') return reason;
  const status = read(read(error, '$metadata'), 'httpStatusCode');
  const isTransient = read(error, '$retryable') !== undefined || (typeof status === 'number' && RETRIED.has(status));
  return isTransient ? 'budget_exhausted' : 'not_retryable';
}

const RETRIED = new Set([429, 500, 502, 503, 504]);
