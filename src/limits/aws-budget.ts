import type { DepositSource } from '../engine/limits.ts';
import { type Check, checkName, checkOptions, numberFrom } from '../engine/option-checks.ts';
import type { ErrorClass } from '../engine/outcome.ts';
import { CountedBudget } from './counted-budget.ts';
import {
  checkCost,
  costOf,
  MOST_TOKENS,
  type RetryCost,
  toTokens,
  toUnits,
  type UnitCosts,
  unitCosts,
} from './token-units.ts';

/**
 * The retry quota of the AWS SDKs' standard mode, with the numbers of 2026: 500 tokens, 14 for a retry after a transient
 * failure and 5 after a throttled one; a call that succeeds at once adds 1, and one that succeeds after retries gets
 * back what its last retry took. It does not fill with time.
 */
export class AwsBudget extends CountedBudget {
  readonly capacity: number;
  readonly #costs: UnitCosts;
  readonly #capacityUnits: number;
  #units: number;

  /** The quota as it was before 2026: 5 tokens for a retry, 10 after a timeout. */
  static classic(options: Omit<AwsBudgetOptions, 'cost'> = {}): AwsBudget {
    return new AwsBudget({ ...options, cost: { transient: 5, throttled: 5, timeout: 10 } });
  }

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: AwsBudgetOptions = {}) {
    checkOptions('budget options', options, CHECKS);
    super(options.name ?? 'default');
    this.capacity = options.capacity ?? 500;
    this.#capacityUnits = toUnits(this.capacity);
    this.#costs = unitCosts(options.cost ?? { transient: 14, throttled: 5 });
    this.#units = Math.min(toUnits(options.initial ?? this.capacity), this.#capacityUnits);
  }

  override balance(): number {
    return toTokens(this.#units);
  }

  override deposit(source: DepositSource, spent: number): void {
    if (source !== 'success') return;
    this.#units = Math.min(this.#units + toUnits(spent === 0 ? 1 : spent), this.#capacityUnits);
  }

  protected override take(errorClass: ErrorClass, error: unknown): number | undefined {
    const cost = costOf(this.#costs, errorClass, error);
    if (cost > this.#units) return undefined;
    this.#units -= cost;
    return toTokens(cost);
  }
}

/** How an {@link AwsBudget} is filled and spent. */
export interface AwsBudgetOptions {
  /** The metric label. Default `default`. 1 to 200 characters. */
  readonly name?: string;
  /** The most tokens. Default 500. Range 0 to 1,000,000. */
  readonly capacity?: number;
  /** Tokens at the start. Default: as many as `capacity`. */
  readonly initial?: number;
  /** What one retry takes; see {@link RetryCost}. Default 14, and 5 after a throttled failure. */
  readonly cost?: RetryCost;
}

const CHECKS: Record<keyof AwsBudgetOptions, Check> = {
  name: checkName,
  capacity: numberFrom(0, MOST_TOKENS),
  initial: numberFrom(0, MOST_TOKENS),
  cost: checkCost,
};
