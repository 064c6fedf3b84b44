import type { RetryOn } from '../engine/classify.ts';
import type { Budget } from '../engine/limits.ts';
import { type Check, checkOptions, withFunctions } from '../engine/option-checks.ts';
import type { RetryOptions } from '../engine/options.ts';
import { RetryBudget } from '../limits/retry-budget.ts';

/** The options of a policy for a kind of service: those of every policy, with a budget where none is named. */
export interface ServiceOptions<T = unknown, F = never> extends Omit<RetryOptions<T, F>, 'budget'> {
  /**
   * Default: a `RetryBudget` with its defaults, named for the kind of service, that all its policies in the process
   * share. `'none'` switches it off.
   */
  readonly budget?: Budget | 'none';
}

/** What makes the policies of one kind of service. */
export interface ServiceKindTerms {
  /** Names the options in a message. */
  readonly what: string;
  /** The name of the shared budget; undefined where calls have none unless they name one. */
  readonly budget: string | undefined;
  /** What holds where an option is left out. */
  readonly defaults: RetryOptions;
  /** Checks of the options that only this kind has; they do not reach the policy. */
  readonly checks: Readonly<Record<string, Check>>;
}

/**
 * The options of a policy, from those for a kind of service. `refine` has the last word on which errors are retried.
 *
 * @throws TypeError or RangeError for options that are wrong in themselves; those of every policy are checked where it
 * is made
 */
export function serviceOptions<T, F>(
  kind: ServiceKindTerms,
  options: ServiceOptions<T, F>,
  refine: (retryOn: RetryOn | undefined) => RetryOn | undefined,
): RetryOptions<T, F> {
  checkOptions(kind.what, options, { ...POLICY_OPTIONS, ...kind.checks });
  const given = Object.entries(options).filter(([name, value]) => value !== undefined && !(name in kind.checks));
  const { budget, retryOn, ...rest } = Object.fromEntries(given) as ServiceOptions<T, F>;
  const refined = refine(retryOn);
  return {
    ...(kind.defaults as RetryOptions<T, F>),
    ...rest,
    ...(refined === undefined ? undefined : { retryOn: refined }),
    ...budgetOf(kind, budget),
  };
}

function budgetOf(kind: ServiceKindTerms, given: Budget | 'none' | undefined): { readonly budget?: Budget } {
  if (given === 'none') return {};
  if (given !== undefined) return { budget: given };
  return kind.budget === undefined ? {} : { budget: sharedBudget(kind.budget) };
}

/** Refuses `hedge` for a kind of service; `why` says what it would do. */
/* @__NO_SIDE_EFFECTS__ */
export function refuseHedge(why: string): Check {
  return () => {
    throw new TypeError(`hedge is no option ${why}`);
  };
}

/** The budget of this name that everybody in the process shares; made when first asked for. */
export function sharedBudget(name: string): RetryBudget {
  shared[KEY] ??= new Map();
  const budget = shared[KEY].get(name) ?? new RetryBudget({ name });
  shared[KEY].set(name, budget);
  return budget;
}

/** All copies of the package in a process spend from the same budgets. */
const KEY = Symbol.for('retryscope.service-budgets.1');
const shared = globalThis as { [KEY]?: Map<string, RetryBudget> };

const isBudget = withFunctions(
  "a RetryBudget, an object with its functions, or 'none'",
  'balance',
  'deposit',
  'tryWithdraw',
);
const elsewhere: Check = () => undefined;

/** The options of every policy, for messages alone: a misspelt option is told the nearest of all. */
export const POLICY_OPTIONS: Readonly<Record<keyof RetryOptions, Check>> = {
  operation: elsewhere,
  maxAttempts: elsewhere,
  initialDelay: elsewhere,
  maxDelay: elsewhere,
  exponentialBase: elsewhere,
  jitter: elsewhere,
  backoff: elsewhere,
  retryOn: elsewhere,
  retryOnResult: elsewhere,
  attemptTimeout: elsewhere,
  maxElapsed: elsewhere,
  signal: elsewhere,
  retryAfter: elsewhere,
  deadline: elsewhere,
  budget: (name, value) => {
    if (value !== 'none') isBudget(name, value);
  },
  breaker: elsewhere,
  adaptive: elsewhere,
  bulkhead: elsewhere,
  hedge: elsewhere,
  fallback: elsewhere,
  nested: elsewhere,
  onRetry: elsewhere,
  onStop: elsewhere,
  observer: elsewhere,
  attributes: elsewhere,
  clock: elsewhere,
  unref: elsewhere,
};
