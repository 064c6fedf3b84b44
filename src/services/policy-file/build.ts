import type { RetryObserver } from '../../engine/observer.ts';
import { checkOptions, message } from '../../engine/option-checks.ts';
import type { RetryOptions } from '../../engine/options.ts';
import { redact } from '../../engine/redact.ts';
import { RetryPolicy } from '../../forms/retry-policy.ts';
import { createLimit, KINDS, type LimitsBySection, OPTION_OF, retire, type Section } from './limits.ts';
import { isSettings, type Settings } from './parse.ts';
import { shownName } from './plain-data.ts';
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
  const limits: Made = { budgets: new Map(), breakers: new Map(), adaptives: new Map(), bulkheads: new Map() };
  try {
    for (const section of SECTION_NAMES) makeLimits(section, file, limits, before);
    const built = build(file, limits);
    retireAll(before?.limits, limits);
    return built;
  } catch (error) {
    retireAll(limits, before?.limits);
    throw error;
  }
}

/** The limits, as they are made. */
type Made = { readonly [S in Section]: Map<string, BuiltLimit<LimitsBySection[S]>> };

function build(file: Settings, limits: Made): BuiltPolicies {
  const policies = new Map(
    entries(file, 'policies').map(([name, value]) => [name, at('policies', name, () => readOptions(value, limits))]),
  );
  const optionsOf = (value: unknown): RetryOptions =>
    typeof value === 'string' ? named(policies, 'policies', value) : readOptions(value, limits);
  const operations = entries(file, 'operations').map(
    ([operation, value]) =>
      [
        operation,
        at('operations', operation, () => {
          const options = { ...optionsOf(value), operation };
          checkPolicy(options);
          return options;
        }),
      ] as const,
  );
  const services = ((file.services ?? []) as readonly unknown[]).map((rule, i) =>
    at('services', i, () => readRule(rule, optionsOf)),
  );
  return {
    limits,
    policies,
    // Only now: a policy shows its operation in the metrics as soon as it is made.
    operations: new Map(operations.map(([operation, options]) => [operation, new RetryPolicy(options)])),
    services,
  };
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

function makeLimits<S extends Section>(
  section: S,
  file: Settings,
  made: Made,
  before: BuiltPolicies | undefined,
): void {
  for (const [name, value] of entries(file, section)) {
    const settings = JSON.stringify(value);
    const earlier = before?.limits[section].get(name);
    const limit =
      earlier?.settings === settings ? earlier.limit : at(section, name, () => createLimit(section, name, value));
    (made[section] as Map<string, BuiltLimit<LimitsBySection[S]>>).set(name, { limit, settings });
  }
}

/** Retires the limits that are not among those that stay. */
function retireAll(limits: BuiltPolicies['limits'] | undefined, staying: BuiltPolicies['limits'] | undefined): void {
  for (const section of SECTION_NAMES) {
    for (const [name, { limit }] of limits?.[section] ?? []) {
      if (staying?.[section].get(name)?.limit !== limit) retire(limit);
    }
  }
}

/** Options that only a program can give. */
const ONLY_IN_CODE = [
  'clock',
  'deadLetter',
  'deadline',
  'fallback',
  'observer',
  'onRetry',
  'onStop',
  'retryOnResult',
  'signal',
];
const SECTION_NAMES = Object.keys(KINDS) as Section[];

function readOptions(value: unknown, limits: BuiltPolicies['limits']): RetryOptions {
  if (!isSettings(value)) throw new TypeError(message('the policy', value, 'an object of options, or the name of one'));
  const options: Record<string, unknown> = { ...value };
  for (const name of ONLY_IN_CODE) {
    if (name in options) throw new TypeError(`${name} has no place in a file; give it where the call is made`);
  }
  if (Array.isArray(options.attributes)) {
    throw new TypeError(message('attributes', options.attributes, 'an object of strings, numbers and booleans'));
  }
  for (const section of SECTION_NAMES) {
    const option = OPTION_OF[section];
    if (options[option] !== undefined)
      options[option] = named<BuiltLimit<unknown>>(limits[section], section, options[option]).limit;
  }
  checkPolicy(options);
  return Object.freeze(options);
}

/** Makes a policy for its checks alone: nobody is to be told of it. */
function checkPolicy(options: RetryOptions): void {
  new RetryPolicy({ ...options, observer: NOBODY });
}

const NOBODY: RetryObserver = { call: () => undefined };

function readRule(value: unknown, optionsOf: (value: unknown) => RetryOptions): ServiceRule {
  if (!isSettings(value))
    throw new TypeError(message('the rule', value, 'an object such as { kind: http, policy: … }'));
  const { policy, operation, ...match } = value;
  checkOptions('the rule', match, MATCH_CHECKS);
  if (policy === undefined) throw new TypeError('policy is missing; name one, or put its options here');
  const options = optionsOf(policy);
  if (operation !== undefined) checkPolicy({ ...options, operation: operation as string });
  return {
    match: checkMatch(match),
    policy: typeof policy === 'string' ? policy : undefined,
    operation: operation as string | undefined,
    options,
  };
}

/** Which names a rule may have, for a misspelt one. */
const MATCH_CHECKS = Object.fromEntries([...MATCH_NAMES, 'operation', 'policy'].map(name => [name, () => undefined]));

function named<V>(all: ReadonlyMap<string, V>, section: string, name: unknown): V {
  const found = typeof name === 'string' ? all.get(name) : undefined;
  if (found !== undefined) return found;
  const known =
    all.size === 0 ? 'there are none' : `there are ${[...all.keys()].slice(0, 20).map(shownName).join(', ')}`;
  throw new TypeError(message('the name', name, `one of ${section}: ${known}`));
}

/** Puts the place in the file before what is wrong there. */
function at<R>(section: string, entry: string | number, work: () => R): R {
  try {
    return work();
  } catch (error) {
    const place = typeof entry === 'number' ? `${section}[${entry}]` : `${section}.${shownName(entry)}`;
    throw renamed(error, why => `${place}: ${why}`);
  }
}

/** An error of the same kind with another message, free of secrets that stand in the wrong place. */
export function renamed(error: unknown, text: (why: string) => string): TypeError | RangeError {
  const message = redact(text((error as Error).message));
  return error instanceof RangeError ? new RangeError(message) : new TypeError(message);
}
