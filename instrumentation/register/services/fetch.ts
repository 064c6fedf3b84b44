import { read } from '../../../src/engine/read.ts';
import { createRetryFetch, type FetchLike } from '../../../src/services/http/index.ts';
import type { ServiceRule } from '../../../src/services/policy-file/index.ts';
import { applied, type Callable, patched } from '../../libraries/patching.ts';
import { ruleFor } from '../service-rules.ts';
import { madeFor, optionsOf } from './by-rule.ts';
import { httpCall } from './http-call.ts';

/** Replaces the global fetch; no dispatcher is touched. What is replaced later by the app stays the app's. */
export function patchGlobalFetch(): void {
  if (typeof globalThis.fetch === 'function') globalThis.fetch = retriedFetch(globalThis.fetch);
}

/** The same fetch, but that calls for which the policy file has a rule are retried by it. */
export function retriedFetch<F>(original: F): F {
  const byRule = madeFor((rule: ServiceRule) =>
    // The app knows the errors of fetch, and none of ours.
    createRetryFetch<FetchLike>({ ...optionsOf(rule), onUsedBody: 'stop', fetch: original as FetchLike }),
  );
  return patched(original, (fetch: Callable, self, args) => {
    const [input, init] = args;
    const url = read(input, 'url') ?? input;
    const rule = ruleFor(httpCall(read(init, 'method') ?? read(input, 'method'), url));
    const retried = rule === undefined ? undefined : byRule(rule);
    return applied(retried ?? fetch, self, args);
  });
}
