import { AsyncLocalStorage } from 'node:async_hooks';
import type { AttemptEnd, CallScope, Scope } from '../../src/engine/observer.ts';
import {
  findPolicyFile,
  loadPolicies,
  type Policies,
  type ServiceCall,
  type ServiceRule,
} from '../../src/services/policy-file/index.ts';
import { warn } from './warn.ts';

/** Reads the policy file. One with a mistake in it is told, and nothing is retried then: the app itself goes on. */
export async function readPolicyFile(): Promise<void> {
  const path = findPolicyFile();
  if (path === undefined) return;
  try {
    policies = await loadPolicies({ path });
  } catch (error) {
    warn('RETRYSCOPE_CONFIG', `No service is retried: ${(error as TypeError).message}`);
    return;
  }
  if (policies.services.some(({ match }) => match.kind === 'grpc')) {
    warn(
      'RETRYSCOPE_CONFIG',
      `${path}: rules of kind grpc are not applied by retryscope/register; see retryscope/grpc`,
    );
  }
}

/**
 * The rule for a call that the app makes. Undefined where there is none, and inside an attempt of a policy, or of a
 * library that retries: whoever wrote that code has said how often it is to be tried, and the two would multiply.
 */
export function ruleFor(call: ServiceCall): ServiceRule | undefined {
  return policies === undefined || inside.getStore() === true ? undefined : policies.ruleFor(call);
}

/** Runs a call by its rule: no other rule is for what the client does in it. */
export function byItsRule<R>(fn: () => R): R {
  return inside.run(true, fn);
}

/** What an observer gives for each call that may be retried, so that it is known what runs inside its attempts. */
export const MARKED: CallScope = { attempt: () => INSIDE };

let policies: Policies | undefined;
const inside = new AsyncLocalStorage<true>();
const INSIDE: Scope<AttemptEnd> = { run: fn => inside.run(true, fn) };
