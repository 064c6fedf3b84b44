import type { DepositSource } from '../engine/limits.ts';
import { checkOptions } from '../engine/option-checks.ts';
import { BUCKET_CHECKS, BucketBudget, type BucketOptions } from './bucket-budget.ts';
import { toUnits } from './token-units.ts';

/**
 * The retry quota of the AWS SDKs' standard mode, with the numbers of 2026: 500 tokens, 14 for a retry after a transient
 * failure and 5 after a throttled one; a call that succeeds at once adds 1, and one that succeeds after retries gets
 * back what its last retry took. It does not fill with time.
 */
export class AwsBudget extends BucketBudget {
  /** The quota as it was before 2026: 5 tokens for a retry, 10 after a timeout. */
  static classic(options: Omit<AwsBudgetOptions, 'cost'> = {}): AwsBudget {
    return new AwsBudget({ ...options, cost: { transient: 5, throttled: 5, timeout: 10 } });
  }

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: AwsBudgetOptions = {}) {
    checkOptions('budget options', options, BUCKET_CHECKS);
    const { capacity = 500, cost = { transient: 14, throttled: 5 } } = options;
    super({ ...options, capacity, cost });
  }

  override deposit(source: DepositSource, spent: number): void {
    if (source === 'success') this.add(toUnits(spent === 0 ? 1 : spent));
  }
}

/** How an {@link AwsBudget} is filled and spent. Default `capacity` 500, `cost` 14, and 5 after a throttled failure. */
export type AwsBudgetOptions = BucketOptions;
