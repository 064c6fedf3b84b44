import type { BreakerState } from './breaker-state.ts';
import type { BudgetState } from './budget-state.ts';

/**
 * The budgets and breakers of the process, for the gauges that show them from the moment they are made. Shared by all
 * copies of the package, and bounded: an application makes a handful, and one that makes them without end must not
 * grow without end.
 */
export interface LimitRegistry {
  readonly budgets: Set<Readable<BudgetState>>;
  readonly breakers: Set<Readable<BreakerState>>;
  /** Budgets and breakers that found the registry full. */
  overflow: number;
}

/** Something whose state can be read at any time. */
export interface Readable<State> {
  readonly state: State;
}

/** How many budgets, and how many breakers, are shown. */
export const MAX_LIMITS = 200;

/** The one registry of this process. A bundle that shows no limits goes without. */
export const limitRegistry: LimitRegistry = /* @__PURE__ */ sharedRegistry();

function sharedRegistry(): LimitRegistry {
  const key = Symbol.for('retryscope.limits.1');
  const shared = globalThis as { [key: symbol]: LimitRegistry | undefined };
  shared[key] ??= { budgets: new Set(), breakers: new Set(), overflow: 0 };
  return shared[key];
}

/** Shows a budget from now on. */
export function registerBudget(budget: Readable<BudgetState>): void {
  add(limitRegistry.budgets, budget);
}

/** Shows a breaker from now on. */
export function registerBreaker(breaker: Readable<BreakerState>): void {
  add(limitRegistry.breakers, breaker);
}

function add<T>(set: Set<T>, item: T): void {
  if (set.size < MAX_LIMITS) set.add(item);
  else limitRegistry.overflow++;
}
