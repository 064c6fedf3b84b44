import type { RetryOptions } from '../engine/options.ts';
import { createPolicy, type Policy } from '../engine/policy.ts';
import type { RetryPolicy } from './retry-policy.ts';

/** The policy behind options: a `RetryPolicy` has its own, and the same options object gives the same policy again. */
export function policyFor(options: RetryOptions<never, unknown> | RetryPolicy<never, unknown> | undefined): Policy {
  if (options === undefined) {
    defaultPolicy ??= createPolicy({});
    return defaultPolicy;
  }
  if (options === latestOptions && latestPolicy !== undefined) return latestPolicy;
  const known = policies.get(options);
  const policy = known ?? keepPolicy(options, createPolicy(options as RetryOptions<never, unknown>));
  latestOptions = options;
  latestPolicy = policy;
  return policy;
}

/** Keeps the policy that `options` stand for. */
export function keepPolicy(options: object, policy: Policy): Policy {
  policies.set(options, policy);
  return policy;
}

let defaultPolicy: Policy | undefined;
const policies = new WeakMap<object, Policy>();
/** The last pair: a loop over one options object does not even look it up. */
let latestOptions: object | undefined;
let latestPolicy: Policy | undefined;
