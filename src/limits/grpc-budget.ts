import type { DepositSource } from '../engine/limits.ts';
import { type Check, checkName, checkOptions, isNumber, numberFrom, ofType } from '../engine/option-checks.ts';
import type { ErrorClass } from '../engine/outcome.ts';
import { CountedBudget } from './counted-budget.ts';

/**
 * gRPC's retry throttle: every attempt that fails takes one token, every one that succeeds adds `tokenRatio`, and
 * retries are made only while more than half of `maxTokens` is left. Retries themselves cost nothing.
 * (Source: gRPC proposal A6, "Throttling Retry Attempts and Hedged RPCs".)
 *
 * It is stricter than its ratio suggests: at 10 % failures with the defaults hardly anything is retried.
 */
export class GrpcBudget extends CountedBudget {
  readonly capacity: number;
  readonly #most: number;
  readonly #ratio: number;
  /** Thousandths of a token, as in the proposal: further decimals of the ratio are cut off. */
  #thousandths: number;

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: GrpcBudgetOptions = {}) {
    checkOptions('budget options', options, CHECKS);
    super(options.name ?? 'default');
    this.capacity = options.maxTokens ?? 10;
    this.#most = this.capacity * 1000;
    this.#ratio = thousandths(options.tokenRatio ?? 0.1);
    this.#thousandths = this.#most;
  }

  override balance(): number {
    return this.#thousandths / 1000;
  }

  override deposit(source: DepositSource): void {
    if (source === 'success') this.#thousandths = Math.min(this.#thousandths + this.#ratio, this.#most);
  }

  charge(): void {
    this.#thousandths = Math.max(this.#thousandths - 1000, 0);
  }

  protected override take(_errorClass: ErrorClass): number | undefined {
    return this.#thousandths * 2 > this.#most ? 0 : undefined;
  }
}

/** How a {@link GrpcBudget} is filled and spent; the names are those of a gRPC service config. */
export interface GrpcBudgetOptions {
  /** The metric label. Default `default`. 1 to 200 characters. */
  readonly name?: string;
  /** Tokens at the start and at most. Default 10. An integer from 1 to 1000. */
  readonly maxTokens?: number;
  /** Tokens that each success adds. Default 0.1. Range 0.001 to 1000; decimals beyond the third are ignored. */
  readonly tokenRatio?: number;
}

const CHECKS: Record<keyof GrpcBudgetOptions, Check> = {
  name: checkName,
  maxTokens: ofType(
    'an integer from 1 to 1000',
    isNumber,
    v => Number.isInteger(v) && (v as number) >= 1 && (v as number) <= 1000,
  ),
  tokenRatio: numberFrom(0.001, 1000),
};

/** Cut, not rounded, but not for the sake of a billionth: 0.29 * 1000 is a little less than 290. */
function thousandths(ratio: number): number {
  return Math.floor(ratio * 1000 + 1e-6);
}
