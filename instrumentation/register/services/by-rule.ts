import type { RetryOptions } from '../../../src/engine/options.ts';
import type { ServiceRule } from '../../../src/services/policy-file/index.ts';
import { warn } from '../warn.ts';

/** The options of a rule: those of its policy, and the operation that it names. */
export function optionsOf({ options, operation }: ServiceRule): Omit<RetryOptions, 'fallback' | 'retryOnResult'> {
  return operation === undefined ? options : { ...options, operation };
}

/**
 * Makes something of each rule once, when it is first needed. A rule whose options do not fit the service is told, and
 * its calls run as they are.
 */
export function madeFor<Made>(make: (rule: ServiceRule) => Made): (rule: ServiceRule) => Made | undefined {
  const known = new WeakMap<ServiceRule, { readonly made: Made | undefined }>();
  return rule => {
    const before = known.get(rule);
    if (before !== undefined) return before.made;
    const made = tried(rule, make);
    known.set(rule, { made });
    return made;
  };
}

function tried<Made>(rule: ServiceRule, make: (rule: ServiceRule) => Made): Made | undefined {
  try {
    return make(rule);
  } catch (error) {
    warn('RETRYSCOPE_CONFIG', `A rule of kind ${rule.match.kind} is not applied: ${(error as TypeError).message}`);
    return undefined;
  }
}
