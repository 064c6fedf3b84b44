import type { DepositSource } from '../engine/limits.ts';
import { type Check, checkOptions, numberFrom } from '../engine/option-checks.ts';
import { BUCKET_CHECKS, BucketBudget, type BucketOptions } from './bucket-budget.ts';
import { toUnits } from './token-units.ts';

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
export class RetryBudget extends BucketBudget {
  /** Tokens that each success adds. */
  readonly ratio: number;
  readonly #ratioUnits: number;

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: RetryBudgetOptions = {}) {
    checkOptions('budget options', options, CHECKS);
    super({ ...options, capacity: options.capacity ?? 10 });
    this.ratio = options.ratio ?? 0.1;
    this.#ratioUnits = toUnits(this.ratio);
  }

  override deposit(source: DepositSource): void {
    if (source === 'success') this.add(this.#ratioUnits);
  }
}

/** How a {@link RetryBudget} is filled and spent. Default `capacity` 10, `cost` 1. */
export interface RetryBudgetOptions extends BucketOptions {
  /** Tokens that each successful attempt adds: retries per success in the long run. Default 0.1. Range 0 to 1000. */
  readonly ratio?: number;
}

/** Not spread: a bundler that finds this unused could not drop it then, for what getters might do. */
const CHECKS: Record<keyof RetryBudgetOptions, Check> = /* @__PURE__ */ Object.assign(
  { ratio: numberFrom(0, 1000) },
  BUCKET_CHECKS,
);
