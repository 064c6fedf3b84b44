import type { IncomingMessage, ServerResponse } from 'node:http';
import { guarded } from '../../engine/guarded.ts';
import { runNested } from '../../engine/nesting.ts';
import type { NestingFrame } from '../../engine/nesting-frame.ts';
import { type Check, checkFunction, checkOptions, integerFrom } from '../../engine/option-checks.ts';
import { MOST_ATTEMPTS } from './attempt-number.ts';
import { type IncomingAttempt, readRetryAttempt } from './incoming-attempt.ts';
import { refuseRetries } from './refuse-retries.ts';

/**
 * Makes a service aware of its callers' retries, for `node:http` and Express. Handlers can ask for the attempt with
 * {@link incomingRetry}; retries that the options refuse are answered with 503 and "do not retry"; and when a call that a
 * handler makes has given up after retries of its own, an answer with a status of 500 or more says "do not retry" too,
 * so that the layers above do not multiply what was tried. A call that starts in an event of the request, as in
 * `request.on('end', …)`, is not seen to be the handler's; there {@link refuseRetries} says it.
 *
 * @throws TypeError or RangeError, naming the option, the value and what is allowed
 *
 * @example
 * ```ts
 * const aware = retryAwareness({ refuseAfter: 3 });
 * createServer((request, response) => aware(request, response, () => handle(request, response)));
 * ```
 */
export function retryAwareness(
  options: RetryAwarenessOptions = {},
): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  checkOptions('awareness options', options, CHECKS);
  return (request, response, next) => {
    const incoming = remember(request);
    if (isRefused(options, request, incoming)) {
      refuseRetries(response);
      response.statusCode = 503;
      response.end();
      return;
    }
    runAware(response, next);
  };
}

/** The same as a plugin of Fastify: `fastify.register(fastifyRetryAwareness, options)`. */
export function fastifyRetryAwareness(
  fastify: FastifyLike,
  options: RetryAwarenessOptions,
  done: (error?: Error) => void,
): void {
  const { refuseAfter, onOverload } = options;
  // Fastify adds options of its own, such as a prefix.
  const own: RetryAwarenessOptions = {
    ...(refuseAfter === undefined ? undefined : { refuseAfter }),
    ...(onOverload === undefined ? undefined : { onOverload }),
  };
  try {
    checkOptions('awareness options', own, CHECKS);
  } catch (error) {
    // What a plugin throws nobody catches; what it hands over ends the start of the server.
    done(error as Error);
    return;
  }
  fastify.addHook('onRequest', (request, reply, next) => {
    const incoming = remember(request.raw);
    if (isRefused(own, request.raw, incoming)) {
      refuseRetries(reply);
      reply.code(503).send();
      return;
    }
    runAware(reply.raw, next);
  });
  done();
}

// By this Fastify knows a plugin that is for the whole server, not only for what is registered inside it.
Object.defineProperty(fastifyRetryAwareness, Symbol.for('skip-override'), { value: true });

/** Which attempt of its caller a request is; undefined for one that does not say, or has not met the middleware. */
export function incomingRetry(request: IncomingMessage): IncomingAttempt | undefined {
  return attempts.get(request);
}

/** What a service does about its callers' retries. */
export interface RetryAwarenessOptions {
  /** Attempts with a higher number are refused. Default: none is. An integer from 1 to 1000. */
  readonly refuseAfter?: number;
  /**
   * True while the service has more to do than it can: retries, not first attempts, are refused then. Default: never.
   * What it throws is counted, and means no.
   */
  onOverload?(request: IncomingMessage): boolean;
}

/** What is used of Fastify. */
export interface FastifyLike {
  addHook(
    name: 'onRequest',
    hook: (request: { readonly raw: IncomingMessage }, reply: FastifyReplyLike, done: () => void) => void,
  ): unknown;
}

/** What is used of a reply of Fastify. */
export interface FastifyReplyLike {
  readonly raw: ServerResponse;
  header(name: string, value: string): unknown;
  code(status: number): { send(): unknown };
}

const CHECKS: Record<keyof RetryAwarenessOptions, Check> = {
  refuseAfter: integerFrom(1, MOST_ATTEMPTS),
  onOverload: checkFunction,
};

const KEY = Symbol.for('retryscope.incoming.1');

/** Shared by all copies of the package in a process: the one that the server uses, and the one that a handler uses. */
const shared = globalThis as { [KEY]?: WeakMap<IncomingMessage, IncomingAttempt> };
shared[KEY] ??= new WeakMap();
const attempts = shared[KEY];

function remember(request: IncomingMessage): IncomingAttempt | undefined {
  const incoming = readRetryAttempt(request.headers);
  if (incoming !== undefined) attempts.set(request, incoming);
  return incoming;
}

function isRefused(
  { refuseAfter, onOverload }: RetryAwarenessOptions,
  request: IncomingMessage,
  incoming: IncomingAttempt | undefined,
): boolean {
  if (incoming === undefined || incoming.attempt === 1) return false;
  if (refuseAfter !== undefined && incoming.attempt > refuseAfter) return true;
  return guarded('hook', () => onOverload?.(request)) === true;
}

/** Runs what handles a request where it can be seen whether a call inside it gives up, and marks the answer if so. */
function runAware(response: ServerResponse, next: () => void): void {
  const frame: NestingFrame = { retriesOutside: false, gaveUp: false };
  const { writeHead } = response;
  // The last moment at which a header can be set, and the first at which the status is known.
  response.writeHead = (...args: unknown[]) => {
    const status = typeof args[0] === 'number' ? args[0] : response.statusCode;
    if (frame.gaveUp && status >= 500) refuseRetries(response);
    return writeHead.apply(response, args as Parameters<typeof writeHead>);
  };
  runNested(frame, next);
}
