import type { RetryOptions } from '../engine/options.ts';
import { createPolicy, type Policy } from '../engine/policy.ts';
import { policyOf, type RetryPolicy } from './retry-policy.ts';

/** The policy behind options: a `RetryPolicy` has its own, and the same options object gives the same policy again. */
export function policyFor(options: RetryOptions<never, unknown> | RetryPolicy<never, unknown> | undefined): Policy {
  if (options === undefined) {
    defaultPolicy ??= createPolicy({});
    return defaultPolicy;
  }
  if (options === latestOptions && latestPolicy !== undefined) return latestPolicy;
  const policy = policyOf(options) ?? cached(options as RetryOptions<never, unknown>);
  latestOptions = options;
  latestPolicy = policy;
  return policy;
}

let defaultPolicy: Policy | undefined;
const policies = new WeakMap<object, Policy>();
/** The last pair: a loop over one options object does not even look it up. */
let latestOptions: object | undefined;
let latestPolicy: Policy | undefined;

function cached(options: RetryOptions<never, unknown>): Policy {
  const known = policies.get(options);
  if (known !== undefined) return known;
  const policy = createPolicy(options);
  policies.set(options, policy);
  return policy;
}
