import { type Check, checkFunction, oneOf } from '../../engine/option-checks.ts';
import { rememberSummary, retrySummary } from '../../engine/summary.ts';
import { isFailure } from './classify-http.ts';
import { handOver } from './failed-answer.ts';
import { cancelBody, FetchAnswer } from './fetch-answer.ts';
import { FetchBodies } from './fetch-bodies.ts';
import { addHeaders, type FetchRequest, readFetchArguments } from './fetch-request.ts';
import { HttpStatusError } from './http-errors.ts';
import { checkHttpOptions, type HttpRetryOptions } from './http-options.ts';
import { createHttpPolicy, type HttpPolicy } from './http-policy.ts';
import { linkSignals } from './link-signals.ts';
import { type HttpAttempt, runRequest } from './run-request.ts';

/** How `fetch` is retried. */
export interface FetchRetryOptions<F extends FetchLike = typeof fetch> extends HttpRetryOptions<Response> {
  /** The fetch to call, such as that of npm's undici. Default: the global one, as it is when a request is made. */
  readonly fetch?: F;
  /**
   * What becomes of an answer that means failure when no attempt follows. `'return'`: the caller gets it, as from fetch
   * itself, and `retrySummary(response)` tells how it came to that. `'throw'`: an {@link HttpStatusError}, also for the
   * statuses from 400 that are not retried. Default `'return'`, so that code written for fetch works unchanged.
   */
  readonly onHttpError?: 'return' | 'throw';
}

/** Any function with the signature of fetch. */
export type FetchLike = (input: never, init?: never) => Promise<unknown>;

/** What may be sent as a body: what fetch takes, or a function that makes it, called once for each attempt. */
export type RetryRequestInit = Omit<RequestInit, 'body'> & {
  readonly body?:
    | RequestInit['body']
    | (() => RequestInit['body'] | AsyncIterable<Uint8Array | string> | PromiseLike<RequestInit['body']>);
};

/** A fetch that retries: the signature of the one that it calls, and functions as bodies. */
export type RetryFetch<F extends FetchLike = typeof fetch> = F &
  ((input: string | URL | Request, init?: RetryRequestInit) => Promise<Response>);

/**
 * Calls `fetch` until the server gives an answer that is worth having, or until the policy says stop. Resolves as fetch
 * does, also with answers that mean failure; see `onHttpError`. It wraps the call: no dispatcher is installed or
 * replaced, and one that is given in `init` is used.
 *
 * GET, HEAD, OPTIONS, TRACE, PUT, DELETE and QUERY are sent again; POST and PATCH with an `Idempotency-Key`. A redirect
 * is followed anew from the first URL in each attempt. The bodies of failed answers are read or cancelled before the
 * wait, so they hold no connection. The body of a `Request` is kept in memory until the call ends; a stream is sent
 * once.
 *
 * @param input what fetch takes
 * @param init what fetch takes; `body` may also be a function that makes it
 * @param options how to retry; read once for each options object
 * @throws TypeError or RangeError at once, when an option is wrong
 *
 * @example
 * ```ts
 * const response = await retryFetch('https://api.example.com/rates', { signal: AbortSignal.timeout(10_000) });
 * if (!response.ok) throw new Error(`The rates are not to be had: ${response.status}`);
 * ```
 */
export function retryFetch(
  input: string | URL | Request,
  init?: RetryRequestInit,
  options: FetchRetryOptions<FetchLike> = NOTHING,
): Promise<Response> {
  const known = setups.get(options);
  if (known !== undefined) return run(known, input, init);
  const setup = setUp(options);
  setups.set(options, setup);
  return run(setup, input, init);
}

/**
 * Makes a fetch that retries, to be used wherever a fetch is asked for; see {@link retryFetch}.
 *
 * @throws TypeError or RangeError, naming the option, the value and what is allowed
 *
 * @example
 * ```ts
 * const patientFetch = createRetryFetch({ maxAttempts: 5, attemptTimeout: 2000 });
 * const response = await patientFetch('https://api.example.com/rates');
 * ```
 */
export function createRetryFetch<F extends FetchLike = typeof fetch>(
  options: FetchRetryOptions<F> = {},
): RetryFetch<F> {
  const setup = setUp(options);
  const retrying = (input: unknown, init?: unknown): Promise<Response> => run(setup, input, init);
  return retrying as unknown as RetryFetch<F>;
}

interface Setup {
  readonly policy: HttpPolicy;
  readonly fetch: FetchLike | undefined;
  readonly onHttpError: 'return' | 'throw';
}

const NOTHING: FetchRetryOptions<FetchLike> = Object.freeze({});
const setups = new WeakMap<object, Setup>();

const CHECKS: Record<Exclude<keyof FetchRetryOptions, keyof HttpRetryOptions>, Check> = {
  fetch: checkFunction,
  onHttpError: oneOf('return', 'throw'),
};

function setUp(given: FetchRetryOptions<FetchLike>): Setup {
  checkHttpOptions(given, CHECKS);
  const { fetch, onHttpError = 'return', ...options } = given;
  return Object.freeze({ policy: createHttpPolicy(options), fetch, onHttpError });
}

async function run(setup: Setup, input: unknown, init: unknown): Promise<Response> {
  const request = readFetchArguments(input, init);
  const bodies = new FetchBodies(request);
  const errors = new Set<unknown>();
  try {
    return await runRequest(setup.policy, request, attempt => send(setup, input, { request, bodies, errors, attempt }));
  } catch (error) {
    // The fetch that is called may throw such errors of its own.
    if (!errors.has(error)) throw error;
    if (setup.onHttpError === 'throw') {
      handOver(error);
      throw error;
    }
    const { response } = error as HttpStatusError;
    const summary = retrySummary(error);
    if (summary !== undefined) rememberSummary(response, summary);
    return response;
  } finally {
    bodies.end();
  }
}

interface Sending {
  readonly request: FetchRequest;
  readonly bodies: FetchBodies;
  /** Those that this call has made. */
  readonly errors: Set<unknown>;
  readonly attempt: HttpAttempt;
}

async function send(setup: Setup, input: unknown, { request, bodies, errors, attempt }: Sending): Promise<Response> {
  const fetchNow = (setup.fetch ?? globalThis.fetch) as (input: unknown, init: unknown) => Promise<Response>;
  // A signal costs fetch as much as the rest of a policy, so it is given none that nobody can abort.
  const signal = setup.policy.mayCut || request.signal !== undefined ? attempt.context.signal : undefined;
  const response = await fetchNow(bodies.requestFor(attempt) ?? input, {
    ...request.init,
    ...(await bodies.bodyFor(attempt)),
    ...(Object.keys(attempt.headers).length === 0 ? undefined : { headers: addHeaders(request, attempt.headers) }),
    // What is no signal is for fetch to refuse.
    ...(signal === undefined || (request.signal === undefined && isGiven(request.init.signal))
      ? undefined
      : { signal: linkSignals(signal, request.signal) }),
  });
  // Nobody waits for this answer any more, and fetch has not heard of it.
  if (signal?.aborted === true) cancelBody(response);
  const { statuses } = setup.policy;
  const isError = isFailure(response, statuses) || (setup.onHttpError === 'throw' && response.status >= 400);
  if (!isError) return response;
  const answer = new FetchAnswer(response, setup.policy.clock);
  const error = new HttpStatusError(response.status, attempt.name, answer);
  errors.add(error);
  attempt.failed(error, answer);
  throw error;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
