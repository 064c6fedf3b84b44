import { DEFAULTS, type RetryOptions, RetryPolicy } from 'retryscope/core';
import type { ServiceMatch } from 'retryscope/policy-file';
import type { DashboardsConfig } from '../../dashboards/src/config.ts';

/** A policy file as the rules see it: who uses what, with the defaults filled in. */
export interface FileView {
  /** Every place where options of a policy stand. */
  readonly policies: readonly PolicyEntry[];
  readonly operations: readonly OperationEntry[];
  readonly services: readonly ServiceEntry[];
  readonly limits: readonly LimitEntry[];
  /** How long whoever calls this process waits for its answers, in milliseconds. */
  readonly callerTimeoutMs: number;
  readonly alerts: DashboardsConfig;
}

/** Options of a policy, at one place in the file. */
export interface PolicyEntry {
  readonly where: string;
  readonly options: PolicyOptions;
  /** Limits that it names. */
  readonly budget: LimitEntry | undefined;
  readonly breaker: LimitEntry | undefined;
  readonly bulkhead: LimitEntry | undefined;
  readonly adaptive: LimitEntry | undefined;
  /** Places of the operations and rules that have it. */
  readonly usedBy: string[];
  /** What it is for, where a rule for services says so. */
  readonly matches: ServiceMatch[];
  /** The longest waits before the retries, in milliseconds. */
  readonly waits: readonly number[];
  /** The longest time of a call, in milliseconds, when no attempt takes longer than `attemptMs`. */
  worstCase(attemptMs: number): number;
}

/** What may stand in a file for a policy, with the defaults. Times are milliseconds, `Infinity` for none. */
export interface PolicyOptions {
  readonly maxAttempts: number;
  readonly initialDelay: number;
  readonly maxDelay: number;
  readonly jitter: NonNullable<RetryOptions['jitter']>;
  readonly backoff: string | readonly number[];
  readonly retryOn: readonly string[] | undefined;
  readonly attemptTimeout: number;
  readonly maxElapsed: number;
  readonly retryAfter: boolean;
  readonly hedge: number | undefined;
  readonly nested: NonNullable<RetryOptions['nested']>;
  readonly operation: string | undefined;
}

/** An operation of the file. */
export interface OperationEntry {
  readonly where: string;
  readonly operation: string;
  readonly policy: PolicyEntry;
}

/** A rule for calls to services. */
export interface ServiceEntry {
  readonly where: string;
  readonly match: ServiceMatch;
  readonly operation: string | undefined;
  readonly policy: PolicyEntry;
}

/** A limit of the file. */
export interface LimitEntry {
  readonly where: string;
  readonly section: LimitSection;
  /** The label of its metrics. */
  readonly label: string;
  readonly kind: string;
  readonly settings: Settings;
  /** Places of the policies that name it. */
  readonly usedBy: string[];
}

/** Where limits stand in a file, and the option that names them. */
export const LIMIT_SECTIONS = {
  budgets: { option: 'budget', kind: 'success' },
  breakers: { option: 'breaker', kind: 'breaker' },
  adaptives: { option: 'adaptive', kind: 'cubic' },
  bulkheads: { option: 'bulkhead', kind: 'bulkhead' },
} as const;

/** The name of such a section. */
export type LimitSection = keyof typeof LIMIT_SECTIONS;

type Settings = Readonly<Record<string, unknown>>;

/** Makes a view of a file that the reader has checked. */
export function viewFile(file: Settings, terms: Pick<FileView, 'callerTimeoutMs' | 'alerts'>): FileView {
  const limits = (Object.keys(LIMIT_SECTIONS) as LimitSection[]).flatMap(section =>
    entries(file, section).map(([name, settings]) => limitEntry(section, name, settings as Settings)),
  );
  const policies: PolicyEntry[] = [];
  const add = (where: string, options: Settings): PolicyEntry => {
    const entry = policyEntry(where, options, limits);
    policies.push(entry);
    return entry;
  };
  const named = new Map(
    entries(file, 'policies').map(([name, options]) => [name, add(`policies.${name}`, options as Settings)]),
  );
  const policyOf = (where: string, value: unknown): PolicyEntry => {
    const entry = typeof value === 'string' ? named.get(value) : add(where, value as Settings);
    if (entry === undefined) throw new Error(`${where} names no policy`);
    entry.usedBy.push(where);
    return entry;
  };
  const operations = entries(file, 'operations').map(([operation, value]) => ({
    where: `operations.${operation}`,
    operation,
    policy: policyOf(`operations.${operation}`, value),
  }));
  const services = ((file.services ?? []) as readonly Settings[]).map((rule, i) => {
    const { policy: value, operation, ...match } = rule;
    const policy = policyOf(`services[${i}]`, value);
    policy.matches.push(match as unknown as ServiceMatch);
    return {
      where: `services[${i}]`,
      match: match as unknown as ServiceMatch,
      operation: (operation ?? policy.options.operation) as string | undefined,
      policy,
    };
  });
  return { policies, operations, services, limits, ...terms };
}

function entries(file: Settings, section: string): [string, unknown][] {
  return Object.entries((file[section] ?? {}) as Settings);
}

function limitEntry(section: LimitSection, name: string, settings: Settings): LimitEntry {
  const { kind = LIMIT_SECTIONS[section].kind, name: label = name } = settings as { kind?: string; name?: string };
  return { where: `${section}.${name}`, section, label, kind, settings, usedBy: [] };
}

function policyEntry(where: string, given: Settings, limits: readonly LimitEntry[]): PolicyEntry {
  const limit = (section: LimitSection): LimitEntry | undefined => {
    const name = given[LIMIT_SECTIONS[section].option];
    const found = name === undefined ? undefined : limits.find(each => each.where === `${section}.${name}`);
    found?.usedBy.push(where);
    return found;
  };
  const options = withDefaults(given);
  return {
    where,
    options,
    budget: limit('budgets'),
    breaker: limit('breakers'),
    adaptive: limit('adaptives'),
    bulkhead: limit('bulkheads'),
    usedBy: [],
    matches: [],
    waits: longestWaits(given, options.maxAttempts),
    worstCase: attemptMs => new RetryPolicy(timeOptions(given)).worstCase(attemptMs),
  };
}

function withDefaults(given: Settings): PolicyOptions {
  const { retryOn } = given as { retryOn?: string | readonly string[] };
  return {
    ...DEFAULTS,
    attemptTimeout: Infinity,
    maxElapsed: Infinity,
    hedge: undefined,
    operation: undefined,
    ...given,
    retryOn: typeof retryOn === 'string' ? [retryOn] : retryOn,
  } as PolicyOptions;
}

/** How many waits are looked at: beyond them no kind of backoff has a longer one that matters. */
const MOST_WAITS = 100;

function longestWaits(given: Settings, maxAttempts: number): number[] {
  const terms = { ...timeOptions(given), maxElapsed: undefined };
  const retries = Math.min(maxAttempts - 1, MOST_WAITS);
  const sums = Array.from({ length: retries + 1 }, (_, i) =>
    new RetryPolicy(withoutUndefined({ ...terms, maxAttempts: i + 1 })).worstCase(0),
  );
  return sums.slice(1).map((sum, i) => sum - (sums[i] ?? 0));
}

const TIMES = [
  'maxAttempts',
  'initialDelay',
  'maxDelay',
  'exponentialBase',
  'jitter',
  'backoff',
  'attemptTimeout',
  'maxElapsed',
  'retryAfter',
];

/** The options that decide how long a call can take. */
function timeOptions(given: Settings): RetryOptions {
  return withoutUndefined(Object.fromEntries(TIMES.map(name => [name, given[name]])));
}

function withoutUndefined(options: Settings): RetryOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
