import { type Check, checkName, numberFrom } from '../engine/option-checks.ts';
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

/** A budget that is a bucket: it holds tokens up to a capacity, and each retry takes its cost. */
export abstract class BucketBudget extends CountedBudget {
  readonly capacity: number;
  readonly #costs: UnitCosts;
  readonly #capacityUnits: number;
  #units: number;

  /** The options have been checked, and the capacity is filled in. */
  constructor({ name, capacity, initial, cost }: BucketOptions & { readonly capacity: number }) {
    super(name ?? 'default');
    this.capacity = capacity;
    this.#capacityUnits = toUnits(capacity);
    this.#costs = unitCosts(cost);
    this.#units = Math.min(toUnits(initial ?? capacity), this.#capacityUnits);
  }

  override balance(): number {
    return toTokens(this.#units);
  }

  /** Adds units, as many as fit in. */
  protected add(units: number): void {
    this.#units = Math.min(this.#units + units, this.#capacityUnits);
  }

  protected override take(errorClass: ErrorClass, error: unknown): number | undefined {
    const cost = costOf(this.#costs, errorClass, error);
    if (cost > this.#units) return undefined;
    this.#units -= cost;
    return toTokens(cost);
  }
}

/** What all buckets have in common. */
export interface BucketOptions {
  /** The metric label. Default `default`. 1 to 200 characters. */
  readonly name?: string;
  /** The most tokens that can be saved up: retries in a row when nothing succeeds. Range 0 to 1,000,000. */
  readonly capacity?: number;
  /** Tokens at the start. Default: as many as `capacity`. */
  readonly initial?: number;
  /** What one retry takes; see {@link RetryCost}. */
  readonly cost?: RetryCost;
}

/** The checks of {@link BucketOptions}. */
export const BUCKET_CHECKS: Record<keyof BucketOptions, Check> = {
  name: checkName,
  capacity: numberFrom(0, MOST_TOKENS),
  initial: numberFrom(0, MOST_TOKENS),
  cost: checkCost,
};
