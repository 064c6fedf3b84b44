import type { Clock } from '../engine/clock.ts';
import type { DepositSource } from '../engine/limits.ts';
import { type Check, checkClock, checkName, checkOptions, numberFrom } from '../engine/option-checks.ts';
import type { ErrorClass } from '../engine/outcome.ts';
import { systemClock } from '../engine/system-clock.ts';
import { CountedBudget } from './counted-budget.ts';
import { SlidingSum } from './sliding-sum.ts';
import { checkCost, costOf, type RetryCost, toTokens, toUnits, type UnitCosts, unitCosts } from './token-units.ts';

/**
 * Finagle's retry budget: every call that starts adds `ratio` tokens for `windowMs`, a retry takes its cost for as long,
 * and `minPerSecond` is a floor beside that. (Source: com.twitter.finagle.service.RetryBudget.)
 *
 * Calls pay for it, whether they succeed or not, so it goes on granting retries through an outage: with a floor, or at
 * high load, a dependency may not recover under it. {@link RetryBudget} does not have that fault.
 */
export class WindowBudget extends CountedBudget {
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #ratioUnits: number;
  readonly #costs: UnitCosts;
  readonly #reserve: number;
  readonly #window: SlidingSum;

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: WindowBudgetOptions = {}) {
    checkOptions('budget options', options, CHECKS);
    super(options.name ?? 'default');
    const windowMs = options.windowMs ?? 10_000;
    this.#clock = options.clock ?? systemClock;
    this.#startedAt = this.#clock.now();
    this.#ratioUnits = toUnits(options.ratio ?? 0.2);
    this.#costs = unitCosts(options.cost);
    this.#reserve = toUnits(((options.minPerSecond ?? 0) * windowMs) / 1000);
    this.#window = new SlidingSum(windowMs, SLICES);
  }

  override balance(): number {
    return toTokens(Math.max(0, this.#reserve + this.#window.sum(this.#elapsedMs())));
  }

  /** What the floor alone holds; what calls add has no bound of its own. */
  override get capacity(): number {
    return toTokens(this.#reserve);
  }

  override deposit(source: DepositSource): void {
    if (source === 'call') this.#window.add(this.#elapsedMs(), this.#ratioUnits);
  }

  protected override take(errorClass: ErrorClass, error: unknown): number | undefined {
    const cost = costOf(this.#costs, errorClass, error);
    const now = this.#elapsedMs();
    if (cost > this.#reserve + this.#window.sum(now)) return undefined;
    this.#window.add(now, -cost);
    return toTokens(cost);
  }

  #elapsedMs(): number {
    return this.#clock.now() - this.#startedAt;
  }
}

/** How a {@link WindowBudget} is filled and spent. */
export interface WindowBudgetOptions {
  /** The metric label. Default `default`. 1 to 200 characters. */
  readonly name?: string;
  /** Tokens that each call adds. Default 0.2. Range 0 to 1000. */
  readonly ratio?: number;
  /** How long what was added or taken counts, in milliseconds. Default 10,000. Range 1000 to 60,000. */
  readonly windowMs?: number;
  /**
   * Retries per second that are granted whatever the load, saved up over the window. Default 0; Finagle's is 10, for
   * each process, which in a fleet amounts to no budget. Range 0 to 10,000.
   */
  readonly minPerSecond?: number;
  /** What one retry takes; see {@link RetryCost}. Default 1. */
  readonly cost?: RetryCost;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** As in Finagle. */
const SLICES = 10;

const CHECKS: Record<keyof WindowBudgetOptions, Check> = {
  name: checkName,
  ratio: numberFrom(0, 1000),
  windowMs: numberFrom(1000, 60_000),
  minPerSecond: numberFrom(0, 10_000),
  cost: checkCost,
  clock: checkClock,
};
