import type { Budget, DepositSource } from '../engine/limits.ts';
import type { ErrorClass } from '../engine/outcome.ts';
import type { BudgetMode, BudgetState } from './budget-state.ts';
import { registerBudget } from './registry.ts';

/**
 * What all budgets have in common: a name, and the counts behind the metrics. A kind of budget says how tokens come
 * and go.
 */
export abstract class CountedBudget implements Budget {
  readonly name: string;
  #granted = 0;
  #denied = 0;

  constructor(name: string) {
    this.name = name;
    registerBudget(this);
  }

  /** Tokens left now. */
  abstract balance(): number;

  /** Tokens that the full budget holds. */
  abstract get capacity(): number;

  /** Where the budget is kept now. */
  get mode(): BudgetMode {
    return 'local';
  }

  /** A call has started, or an attempt has succeeded after `spent` tokens had been taken for it. */
  abstract deposit(source: DepositSource, spent: number): void;

  /** Asks for one retry: the tokens that it took, or undefined for a no. Counted in `retry_budget_withdrawals_total`. */
  tryWithdraw(errorClass: ErrorClass = 'transient', error?: unknown): number | undefined | Promise<number | undefined> {
    const answer = this.take(errorClass, error);
    if (typeof answer === 'object') return answer.then(late => this.#count(late));
    return this.#count(answer);
  }

  /** What the budget holds and has answered so far. */
  get state(): BudgetState {
    const { name, capacity, mode } = this;
    return { name, balance: this.balance(), capacity, mode, granted: this.#granted, denied: this.#denied };
  }

  /** Takes the tokens for one retry, or answers undefined. */
  protected abstract take(errorClass: ErrorClass, error: unknown): number | undefined | Promise<number | undefined>;

  #count(answer: number | undefined): number | undefined {
    if (answer === undefined) this.#denied++;
    else this.#granted++;
    return answer;
  }
}
