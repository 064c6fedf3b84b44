import { read } from '../../../src/engine/read.ts';
import { isFailure } from '../../../src/services/http/classify-http.ts';
import { toldLength } from '../../../src/services/http/failed-answer.ts';
import { HttpStatusError } from '../../../src/services/http/http-errors.ts';
import { checkHttpOptions } from '../../../src/services/http/http-options.ts';
import { createHttpPolicy, type HttpPolicy } from '../../../src/services/http/http-policy.ts';
import { linkSignals } from '../../../src/services/http/link-signals.ts';
import { isOneShot } from '../../../src/services/http/one-shot.ts';
import { IDEMPOTENCY_KEY } from '../../../src/services/http/request-facts.ts';
import { type HttpAttempt, runRequest } from '../../../src/services/http/run-request.ts';
import { StreamAnswer } from '../../../src/services/http/stream-answer.ts';
import { applied, type Callable, patched } from '../../libraries/patching.ts';
import { byItsRule, ruleFor } from '../service-rules.ts';
import { madeFor, optionsOf } from './by-rule.ts';
import { httpCall } from './http-call.ts';
import { isPlain } from './is-plain.ts';
import { notedAnswer, sentOnce } from './retried-below.ts';
import { requestOptions, requestUrl } from './undici-url.ts';

/** The same `request`, but that calls for which the policy file has a rule are retried by it. */
export function retriedRequest(original: Callable): Callable {
  return patched(original, (request, self, args) => {
    const [url, given, callback] = args;
    if (typeof (callback ?? given) === 'function') return applied(request, self, args);
    const options = requestOptions(url, given);
    const facts = factsOf(url, options);
    const rule = facts === undefined ? undefined : ruleFor(httpCall(facts.method, facts.url));
    const policy = rule === undefined ? undefined : policies(rule);
    if (facts === undefined || policy === undefined) return applied(request, self, args);
    return byItsRule(() => run(policy, facts, { request, self, url, options }));
  });
}

const policies = madeFor(rule => {
  const options = { ...optionsOf(rule), onUsedBody: 'stop' as const };
  checkHttpOptions(options);
  return createHttpPolicy(options);
});

interface Facts {
  readonly method: string;
  readonly url: URL;
  readonly idempotencyKey: string | undefined;
  readonly body: 'repeatable' | 'once';
  readonly signal: AbortSignal | undefined;
}

interface Original {
  readonly request: Callable;
  readonly self: unknown;
  readonly url: unknown;
  readonly options: unknown;
}

interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

/**
 * What of a request matters here. Undefined for one in a form in which headers cannot be told, no signal linked or no
 * copy made, and for one that undici throws for at once.
 */
function factsOf(url: unknown, options: unknown): Facts | undefined {
  const isUsual = (options === undefined || options === null || isPlain(options)) && !read(options, 'agent');
  const target = requestUrl(url, read(options, 'path'));
  if (!isUsual || target === undefined) return undefined;
  const headers = read(options, 'headers') ?? {};
  if (Object.getPrototypeOf(headers) !== Object.prototype) return undefined;
  const signal = read(options, 'signal') ?? undefined;
  if (signal !== undefined && typeof read(signal, 'addEventListener') !== 'function') return undefined;
  const body = read(options, 'body');
  const method = read(options, 'method') || (body ? 'PUT' : 'GET');
  const key = Object.entries(headers as object).find(([name]) => name.toLowerCase() === IDEMPOTENCY_KEY)?.[1];
  return {
    method: String(method).toUpperCase(),
    url: target,
    idempotencyKey: typeof key === 'string' ? key : undefined,
    body: isOneShot(body) ? 'once' : 'repeatable',
    signal: signal as AbortSignal | undefined,
  };
}

/** Resolves as undici does, also with an answer that means failure. */
async function run(policy: HttpPolicy, facts: Facts, original: Original): Promise<unknown> {
  let last: { readonly error: unknown; readonly answer: unknown } | undefined;
  try {
    return await runRequest(policy, facts, attempt =>
      send(policy, facts, original, attempt, (error, answer) => {
        last = { error, answer };
      }),
    );
  } catch (error) {
    if (last?.error === error) return last?.answer;
    throw error;
  }
}

async function send(
  policy: HttpPolicy,
  facts: Facts,
  { request, self, url, options }: Original,
  attempt: HttpAttempt,
  keep: (error: unknown, answer: unknown) => void,
): Promise<unknown> {
  // None that nobody can abort: undici would listen to it all the same.
  const signal = policy.mayCut || facts.signal !== undefined ? attempt.context.signal : undefined;
  const sent = {
    ...(options as object | undefined),
    headers: { ...(read(options, 'headers') as object | undefined), ...attempt.headers },
    ...(signal === undefined ? undefined : { signal: linkSignals(signal, facts.signal) }),
  };
  const answer = (await sentOnce(() => applied(request, self, [url, sent]))) as Answer;
  const { statusCode: status, headers, body } = answer;
  const stream = new StreamAnswer(body, toldLength(headers['content-length']), policy.clock);
  // Nobody waits for this answer any more.
  if (signal?.aborted === true) stream.drop();
  if (!isFailure({ status, headers } as { status: number }, policy.statuses)) return answer;
  const error = new HttpStatusError(status, attempt.name, { response: answer });
  notedAnswer(error, answer);
  keep(error, answer);
  attempt.failed(error, stream);
  throw error;
}
