import { read } from '../../../src/engine/read.ts';
import { classifyHttp } from '../../../src/services/http/classify-http.ts';
import { createRetryFetch, type FetchLike, RETRYABLE_STATUSES } from '../../../src/services/http/index.ts';
import type { ServiceRule } from '../../../src/services/policy-file/index.ts';
import { applied, type Callable, patched } from '../../libraries/patching.ts';
import { byItsRule, ruleFor } from '../service-rules.ts';
import { madeFor, optionsOf } from './by-rule.ts';
import { httpCall } from './http-call.ts';
import { notedAnswer, sentOnce } from './retried-below.ts';

/** Replaces the global fetch; no dispatcher is touched. What is replaced later by the app stays the app's. */
export function patchGlobalFetch(): void {
  if (typeof globalThis.fetch === 'function') globalThis.fetch = retriedFetch(globalThis.fetch);
}

/** The same fetch, but that calls for which the policy file has a rule are retried by it. */
export function retriedFetch<F>(original: F): F {
  const byRule = madeFor((rule: ServiceRule) => fetchOf(optionsOf(rule), original as FetchLike));
  return patched(original, (fetch: Callable, self, args) => {
    const [input, init] = args;
    const url = read(input, 'url') ?? input;
    // To fetch itself a function is a text, and to the one that retries it makes a body.
    const isText = typeof read(init, 'body') === 'function';
    const rule = isText ? undefined : ruleFor(httpCall(read(init, 'method') ?? read(input, 'method'), url));
    const retried = rule === undefined ? undefined : byRule(rule);
    return retried === undefined ? applied(fetch, self, args) : byItsRule(() => applied(retried, self, args));
  });
}

function fetchOf(options: ReturnType<typeof optionsOf>, original: FetchLike): FetchLike {
  const rules = { retryOn: options.retryOn, statuses: new Set(RETRYABLE_STATUSES) };
  return createRetryFetch<FetchLike>({
    ...options,
    retryOn: (error, { attempt }) => {
      notedAnswer(error, read(error, 'response'));
      return classifyHttp(error, attempt, rules);
    },
    // The app knows the errors of fetch, and none of ours.
    onUsedBody: 'stop',
    fetch: (...args) => sentOnce(() => original(...args)),
  });
}
