import { checkOptions, message } from '../../engine/option-checks.ts';
import type { RetryOptions } from '../../engine/options.ts';
import { RetryPolicy } from '../../forms/retry-policy.ts';
import { createLimit, KINDS, type LimitsBySection, OPTION_OF, type Section } from './limits.ts';
import { isSettings, type Settings } from './parse.ts';
import { checkMatch, MATCH_NAMES, type ServiceMatch } from './service-rule.ts';

/** What a policy file comes to: everything in it made and checked. */
export interface BuiltPolicies {
  readonly limits: { readonly [S in Section]: ReadonlyMap<string, BuiltLimit<LimitsBySection[S]>> };
  /** Options by the name of their policy. */
  readonly policies: ReadonlyMap<string, RetryOptions>;
  /** Policies by the operation that they are for. */
  readonly operations: ReadonlyMap<string, RetryPolicy>;
  readonly services: readonly ServiceRule[];
}

/** A limit, and what it was made of. */
export interface BuiltLimit<L> {
  readonly limit: L;
  readonly settings: string;
}

/** A policy for calls to a service. */
export interface ServiceRule {
  readonly match: ServiceMatch;
  /** The name of the policy; undefined where it stands in the rule itself. */
  readonly policy: string | undefined;
  /** The operation that the calls are shown as; undefined leaves it to whoever makes them. */
  readonly operation: string | undefined;
  readonly options: RetryOptions;
}

/**
 * Makes everything that a policy file holds. Limits whose settings are those of `before` are taken over from there, so
 * that tokens and states outlive a reload.
 *
 * @throws TypeError or RangeError, naming the place in the file, the value and what is allowed
 */
export function buildPolicies(file: Settings, before?: BuiltPolicies): BuiltPolicies {
  checkOptions('the file', file, SECTIONS);
  const limits = {
    budgets: buildLimits('budgets', file, before),
    breakers: buildLimits('breakers', file, before),
    adaptives: buildLimits('adaptives', file, before),
    bulkheads: buildLimits('bulkheads', file, before),
  };
  const policies = new Map(
    entries(file, 'policies').map(([name, value]) => [name, at(`policies.${name}`, () => readOptions(value, limits))]),
  );
  const optionsOf = (value: unknown): RetryOptions =>
    typeof value === 'string' ? named(policies, 'policies', value) : readOptions(value, limits);
  const operations = new Map(
    entries(file, 'operations').map(([operation, value]) => [
      operation,
      at(`operations.${operation}`, () => new RetryPolicy({ ...optionsOf(value), operation })),
    ]),
  );
  const services = ((file.services ?? []) as readonly unknown[]).map((rule, i) =>
    at(`services[${i}]`, () => readRule(rule, optionsOf)),
  );
  return { limits, policies, operations, services };
}

/** The sections of a file; what is in them is checked where it is read. */
const SECTIONS = {
  $schema: () => undefined,
  budgets: checkSection,
  breakers: checkSection,
  adaptives: checkSection,
  bulkheads: checkSection,
  policies: checkSection,
  operations: checkSection,
  services: (name: string, value: unknown): void => {
    if (!Array.isArray(value)) throw new TypeError(message(name, value, 'a list of rules'));
  },
};

function checkSection(name: string, value: unknown): void {
  if (!isSettings(value)) throw new TypeError(message(name, value, 'an object of names'));
}

function entries(file: Settings, section: string): [string, unknown][] {
  return Object.entries((file[section] ?? {}) as Settings);
}

function buildLimits<S extends Section>(
  section: S,
  file: Settings,
  before: BuiltPolicies | undefined,
): ReadonlyMap<string, BuiltLimit<LimitsBySection[S]>> {
  return new Map(
    entries(file, section).map(([name, value]) => {
      const settings = JSON.stringify(value);
      const earlier = before?.limits[section].get(name);
      const isSame = earlier?.settings === settings;
      const limit = isSame ? earlier.limit : at(`${section}.${name}`, () => createLimit(section, name, value));
      return [name, { limit, settings }];
    }),
  );
}

/** Options that only a program can give. */
const ONLY_IN_CODE = ['clock', 'deadLetter', 'deadline', 'fallback', 'observer', 'onRetry', 'onStop', 'signal'];
const SECTION_NAMES = Object.keys(KINDS) as Section[];

function readOptions(value: unknown, limits: BuiltPolicies['limits']): RetryOptions {
  if (!isSettings(value)) throw new TypeError(message('the policy', value, 'an object of options, or the name of one'));
  const options: Record<string, unknown> = { ...value };
  for (const name of ONLY_IN_CODE) {
    if (name in options) throw new TypeError(`${name} has no place in a file; give it where the call is made`);
  }
  for (const section of SECTION_NAMES) {
    const option = OPTION_OF[section];
    if (options[option] !== undefined)
      options[option] = named<BuiltLimit<unknown>>(limits[section], section, options[option]).limit;
  }
  // Made once for its checks; each operation has a policy of its own.
  new RetryPolicy(options);
  return Object.freeze(options);
}

function readRule(value: unknown, optionsOf: (value: unknown) => RetryOptions): ServiceRule {
  if (!isSettings(value))
    throw new TypeError(message('the rule', value, 'an object such as { kind: http, policy: … }'));
  const { policy, operation, ...match } = value;
  checkOptions('the rule', match, MATCH_CHECKS);
  if (policy === undefined) throw new TypeError('policy is missing; name one, or put its options here');
  const options = optionsOf(policy);
  if (operation !== undefined) new RetryPolicy({ ...options, operation: operation as string });
  return {
    match: checkMatch(match),
    policy: typeof policy === 'string' ? policy : undefined,
    operation: operation as string | undefined,
    options,
  };
}

const MATCH_CHECKS = Object.fromEntries(MATCH_NAMES.map(name => [name, () => undefined]));

function named<V>(all: ReadonlyMap<string, V>, section: string, name: unknown): V {
  const found = typeof name === 'string' ? all.get(name) : undefined;
  if (found !== undefined) return found;
  const known = all.size === 0 ? 'there are none' : `there are ${[...all.keys()].slice(0, 20).join(', ')}`;
  throw new TypeError(message('the name', name, `one of ${section}: ${known}`));
}

/** Puts the place in the file before what is wrong there. */
function at<R>(place: string, work: () => R): R {
  try {
    return work();
  } catch (error) {
    const { message: why } = error as Error;
    throw error instanceof RangeError ? new RangeError(`${place}: ${why}`) : new TypeError(`${place}: ${why}`);
  }
}
