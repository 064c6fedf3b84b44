import type { RetryOptions } from '../engine/options.ts';
import { createPolicy, type Policy } from '../engine/policy.ts';
import { keptPolicies } from './kept-policies.ts';
import type { RetryPolicy } from './retry-policy.ts';

/** The policy behind options: a `RetryPolicy` has its own, and the same options object gives the same policy again. */
export function policyFor(options: RetryOptions<never, unknown> | RetryPolicy<never, unknown> | undefined): Policy {
  if (options === undefined) {
    defaultPolicy ??= createPolicy({});
    return defaultPolicy;
  }
  if (options === latestOptions && latestPolicy !== undefined) return latestPolicy;
  let policy = keptPolicies.get(options);
  if (policy === undefined) {
    policy = createPolicy(options as RetryOptions<never, unknown>);
    keptPolicies.set(options, policy);
  }
  latestOptions = options;
  latestPolicy = policy;
  return policy;
}

let defaultPolicy: Policy | undefined;
/** The last pair: a loop over one options object does not even look it up. */
let latestOptions: object | undefined;
let latestPolicy: Policy | undefined;
