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
 * A retry budget that successes pay for: a bucket of tokens to which each successful attempt adds `ratio`, and from
 * which each retry takes its cost. While nothing succeeds nothing is added, so an outage is met with `capacity` retries
 * and then with first attempts only; that is what lets a dependency recover. There is no floor per second, since floors
 * add up over the processes of a fleet.
 *
 * In the long run at most `ratio` retries are made per success: the load is at most 1 / (1 - ratio * (1 - f)) of the
 * calls when a share f of the attempts fails.
 *
 * @example
 * ```ts
 * const budget = new RetryBudget({ name: 'payments' });
 * const charge = withRetry(chargeCard, { operation: 'charge_card', budget });
 * const refund = withRetry(refundCard, { operation: 'refund_card', budget });
 * ```
 */
export class RetryBudget extends CountedBudget {
  readonly capacity: number;
  /** Tokens that each success adds. */
  readonly ratio: number;
  readonly #costs: UnitCosts;
  readonly #capacityUnits: number;
  readonly #ratioUnits: number;
  #units: number;

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: RetryBudgetOptions = {}) {
    checkOptions('budget options', options, CHECKS);
    super(options.name ?? 'default');
    this.ratio = options.ratio ?? 0.1;
    this.capacity = options.capacity ?? 10;
    this.#ratioUnits = toUnits(this.ratio);
    this.#capacityUnits = toUnits(this.capacity);
    this.#costs = unitCosts(options.cost);
    this.#units = Math.min(toUnits(options.initial ?? this.capacity), this.#capacityUnits);
  }

  override balance(): number {
    return toTokens(this.#units);
  }

  override deposit(source: DepositSource): void {
    if (source === 'success') this.#units = Math.min(this.#units + this.#ratioUnits, this.#capacityUnits);
  }

  protected override take(errorClass: ErrorClass, error: unknown): number | undefined {
    const cost = costOf(this.#costs, errorClass, error);
    if (cost > this.#units) return undefined;
    this.#units -= cost;
    return toTokens(cost);
  }
}

/** How a {@link RetryBudget} is filled and spent. */
export interface RetryBudgetOptions {
  /** The metric label. Default `default`. 1 to 200 characters. */
  readonly name?: string;
  /** Tokens that each successful attempt adds: retries per success in the long run. Default 0.1. Range 0 to 1000. */
  readonly ratio?: number;
  /** The most tokens that can be saved up: retries in a row when nothing succeeds. Default 10. Range 0 to 1,000,000. */
  readonly capacity?: number;
  /** Tokens at the start. Default: as many as `capacity`. */
  readonly initial?: number;
  /** What one retry takes; see {@link RetryCost}. Default 1. */
  readonly cost?: RetryCost;
}

const CHECKS: Record<keyof RetryBudgetOptions, Check> = {
  name: checkName,
  ratio: numberFrom(0, 1000),
  capacity: numberFrom(0, MOST_TOKENS),
  initial: numberFrom(0, MOST_TOKENS),
  cost: checkCost,
};
