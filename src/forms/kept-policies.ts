import type { Policy } from '../engine/policy.ts';

/** The policy behind each options object and each `RetryPolicy` that was used, as long as that object lives. */
export const keptPolicies: WeakMap<object, Policy> = new WeakMap();
