import { isFailure } from './classify-http.ts';
import type { GotLike, GotOptionsLike, GotResponseLike } from './got-types.ts';
import { HttpStatusError } from './http-errors.ts';
import { checkHttpOptions, type HttpRetryOptions } from './http-options.ts';
import { createHttpPolicy, type HttpPolicy } from './http-policy.ts';
import { isOneShot } from './one-shot.ts';
import { IDEMPOTENCY_KEY, type RequestFacts, toUrl } from './request-facts.ts';
import { type HttpAttempt, runRequest } from './run-request.ts';

/**
 * Makes an instance of got that retries by a policy of this library, in place of got's own retries, which are switched
 * off for it so that they do not multiply. Errors and answers are got's own.
 *
 * Each attempt begins with the options that the call began with, also after a redirect. Hooks run in each attempt.
 * Streams (`got.stream`) are left to got. What is to have handlers of its own, or those of another instance, is to be
 * extended first. A body that is a stream or a generator is sent once.
 *
 * @param got got itself, or what `got.extend()` gives
 * @param options how to retry
 * @throws TypeError or RangeError when an option is wrong, or the instance retries already
 *
 * @example
 * ```ts
 * const api = retryGot(got.extend({ prefixUrl: 'https://api.example.com' }), { maxAttempts: 4 });
 * const rates = await api.get('rates').json();
 * ```
 */
export function retryGot<G extends GotLike>(got: G, options: HttpRetryOptions<unknown> = {}): G {
  checkHttpOptions(options);
  const policy = createHttpPolicy(options);
  if (got.defaults.handlers.some(handler => retrying.has(handler as object))) {
    throw new TypeError('This instance of got retries already');
  }
  const handler = (request: GotOptionsLike, next: Next): unknown =>
    request.isStream ? next(request) : handle({ policy, got, next, request });
  retrying.add(handler);
  return got.extend({ handlers: [handler] } as never) as G;
}

const retrying = new WeakSet<object>();

/** Sends the request that got has made ready. */
type Next = (options: GotOptionsLike) => PromiseLike<unknown>;

interface Handling {
  readonly policy: HttpPolicy;
  readonly got: GotLike;
  readonly next: Next;
  readonly request: GotOptionsLike;
}

function handle(handling: Handling): Promise<unknown> {
  const { request } = handling;
  const isBodyOnly = request.resolveBodyOnly;
  request.resolveBodyOnly = false;
  request.retry = { ...request.retry, limit: 0, calculateDelay: () => 0 };
  const answer = run(handling);
  return isBodyOnly ? bodyOnly(answer, request) : answer;
}

async function run({ policy, got, next, request }: Handling): Promise<GotResponseLike> {
  const { signal } = request;
  const facts = factsOf(request);
  const pristine = copyOf(request);
  const accepted = new Set<unknown>();
  const again = (more: object): PromiseLike<unknown> => {
    // `.json()` has set it meanwhile, on the options of the first attempt.
    pristine.headers.accept ??= request.headers.accept;
    return got(undefined, more as never, pristine as never);
  };
  const send = async ({ context, headers, name }: HttpAttempt): Promise<GotResponseLike> => {
    const isFirst = context.number === 1;
    if (isFirst) {
      request.signal = context.signal;
      Object.assign(request.headers, headers);
    }
    const response = (await (isFirst ? next(request) : again({ signal: context.signal, headers }))) as GotResponseLike;
    const status = { status: response.statusCode, headers: response.headers };
    if (!isFailure(status, policy.statuses)) return response;
    const error = new HttpStatusError(response.statusCode, name, { response });
    accepted.add(error);
    throw error;
  };
  try {
    return await runRequest(policy, facts, send);
  } catch (error) {
    // `throwHttpErrors` is off: the caller gets the answer as such.
    if (accepted.has(error)) return (error as HttpStatusError<GotResponseLike>).response;
    // got has errors of its own for an abort, and gives them without sending anything.
    if (signal?.aborted === true && error === signal.reason) return (await again({ signal })) as GotResponseLike;
    throw error;
  }
}

/** Options in the state in which the call began: a redirect changes those that it was sent with. */
function copyOf(request: GotOptionsLike): GotOptionsLike {
  const Options = request.constructor as new (url: undefined, more: undefined, defaults: object) => GotOptionsLike;
  return new Options(undefined, undefined, request);
}

/** The promise of a body. got would take its shortcuts from the answer to the first attempt. */
function bodyOnly(answer: Promise<GotResponseLike>, { encoding, parseJson }: GotOptionsLike): Promise<unknown> {
  const text = async (): Promise<string> => Buffer.from((await answer).rawBody).toString(encoding);
  return Object.assign(
    answer.then(({ body }) => body),
    {
      text,
      buffer: async () => Buffer.from((await answer).rawBody),
      json: async () => {
        const found = await text();
        return found === '' ? '' : parseJson(found);
      },
    },
  );
}

function factsOf({ method, url, headers, body, signal }: GotOptionsLike): RequestFacts {
  return {
    method: String(method ?? 'GET').toUpperCase(),
    url: toUrl(url),
    idempotencyKey: headers[IDEMPOTENCY_KEY]?.toString(),
    body: isOneShot(body) ? 'once' : 'repeatable',
    signal,
  };
}
