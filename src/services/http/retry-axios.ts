import { message } from '../../engine/option-checks.ts';
import { read } from '../../engine/read.ts';
import type { AxiosAdapterLike, AxiosConfigLike, AxiosLike, AxiosResponseLike } from './axios-types.ts';
import { isFailure } from './classify-http.ts';
import { toldLength } from './failed-answer.ts';
import { HttpStatusError } from './http-errors.ts';
import { checkHttpOptions, type HttpRetryOptions } from './http-options.ts';
import { createHttpPolicy, type HttpPolicy } from './http-policy.ts';
import { linkSignals } from './link-signals.ts';
import { isOneShot } from './one-shot.ts';
import { IDEMPOTENCY_KEY, type RequestFacts, toUrl } from './request-facts.ts';
import { type HttpAttempt, runRequest } from './run-request.ts';
import { StreamAnswer } from './stream-answer.ts';

/**
 * Makes an axios instance retry: the one that is given, in place, and returns it. Errors and answers are axios' own.
 *
 * Retried is the adapter, beneath the interceptors: they and the transforms run once for each call, not once for each
 * attempt. `timeout` holds for each attempt. Requests that name an `adapter` of their own are not retried. Where
 * axios-retry is on the same instance, its retries are set to 0, or they would multiply with these. `data` may be a
 * function that makes the body; a stream is sent once.
 *
 * @param instance axios itself, or what `axios.create()` gives
 * @param options how to retry
 * @throws TypeError or RangeError when an option is wrong, or the instance retries already
 *
 * @example
 * ```ts
 * const api = retryAxios(axios.create({ baseURL: 'https://api.example.com', timeout: 2000 }), { maxAttempts: 4 });
 * const { data } = await api.get('/rates');
 * ```
 */
export function retryAxios<A extends AxiosLike>(instance: A, options: HttpRetryOptions<AxiosResponseLike> = {}): A {
  checkHttpOptions(options);
  const policy = createHttpPolicy(options);
  const { adapter } = instance.defaults;
  if (retrying.has(adapter as object)) throw new TypeError('This axios instance retries already');
  const send = adapterOf(instance, adapter);
  const retryingAdapter: AxiosAdapterLike = config => run(policy, send, config);
  retrying.add(retryingAdapter);
  instance.defaults.adapter = retryingAdapter;
  return instance;
}

const retrying = new WeakSet<object>();

/**
 * A function for what may be a name, or a list of names. Only axios itself can find the adapter of a name, and an
 * instance cannot; but one without interceptors, defaults and transforms does nothing else than call it.
 */
function adapterOf(instance: AxiosLike, adapter: unknown): AxiosAdapterLike {
  if (typeof adapter === 'function') return adapter as AxiosAdapterLike;
  if (typeof instance.create !== 'function') {
    throw new TypeError(
      message('defaults.adapter', adapter, 'a function, for an instance that has no function "create"'),
    );
  }
  const bare = instance.create();
  for (const name of Object.keys(bare.defaults)) delete (bare.defaults as Record<string, unknown>)[name];
  const untouched = { adapter, transformRequest: [], transformResponse: [] };
  return async config => {
    try {
      const response = (await bare.request({ ...config, ...untouched } as never)) as AxiosResponseLike;
      response.config = config;
      return response;
    } catch (error) {
      if (typeof read(error, 'config') === 'object') (error as { config: unknown }).config = config;
      const response = read(error, 'response');
      if (typeof response === 'object' && response !== null) (response as AxiosResponseLike).config = config;
      throw error;
    }
  };
}

async function run(policy: HttpPolicy, send: AxiosAdapterLike, config: AxiosConfigLike): Promise<AxiosResponseLike> {
  const others = config['axios-retry'];
  // Its counter of retries is read when this call has failed.
  if (typeof others === 'object' && others !== null) (others as { retries?: number }).retries = 0;
  const request = factsOf(config);
  const accepted = new Set<unknown>();
  try {
    return await runRequest(policy, request, attempt =>
      makeAttempt(policy, send, { config, request, attempt, accepted }),
    );
  } catch (error) {
    // `validateStatus` had taken this answer for a good one: the caller gets it as such.
    if (accepted.has(error)) return (error as HttpStatusError<AxiosResponseLike>).response;
    throw error;
  }
}

interface Sending {
  readonly config: AxiosConfigLike;
  readonly request: RequestFacts;
  readonly attempt: HttpAttempt;
  /** Errors for answers that axios itself took for good ones. */
  readonly accepted: Set<unknown>;
}

async function makeAttempt(policy: HttpPolicy, send: AxiosAdapterLike, sending: Sending): Promise<AxiosResponseLike> {
  const { config, attempt, accepted } = sending;
  try {
    const response = await send(await configFor(sending));
    if (!isFailure(response, policy.statuses)) return response;
    const error = new HttpStatusError(response.status, attempt.name, { response });
    accepted.add(error);
    throw error;
  } catch (error) {
    const response = read(error, 'response');
    if (config.responseType === 'stream' && typeof response === 'object' && response !== null) {
      const length = toldLength(read(read(response, 'headers'), 'content-length'));
      attempt.failed(error as object, new StreamAnswer(read(response, 'data'), length, policy.clock));
    }
    throw error;
  }
}

async function configFor({ config, request, attempt }: Sending): Promise<AxiosConfigLike> {
  const { signal } = attempt.context;
  const added = Object.keys(attempt.headers).length === 0 ? undefined : attempt.headers;
  return {
    ...config,
    ...(typeof config.data === 'function' ? { data: await config.data() } : undefined),
    ...(added === undefined ? undefined : { headers: config.headers.concat(added) }),
    // Only a stream outlives the attempt.
    signal: config.responseType === 'stream' ? linkSignals(signal, request.signal) : signal,
  };
}

function factsOf(config: AxiosConfigLike): RequestFacts {
  const { method, url, baseURL, headers, data, signal, cancelToken } = config;
  const key = headers.get(IDEMPOTENCY_KEY);
  return {
    method: String(method ?? 'get').toUpperCase(),
    url: toUrl(url ?? '', baseURL === undefined || baseURL === '' ? undefined : baseURL),
    idempotencyKey: key === null || key === undefined || key === false ? undefined : String(key),
    body: isOneShot(data) ? 'once' : 'repeatable',
    signal: (signal as AbortSignal | undefined) ?? cancelToken?.toAbortSignal?.(),
  };
}
