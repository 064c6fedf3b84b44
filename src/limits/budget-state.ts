/** What a budget holds and has answered so far. */
export interface BudgetState {
  readonly name: string;
  /** Tokens left now. */
  readonly balance: number;
  /** Tokens that the full budget holds. */
  readonly capacity: number;
  readonly mode: BudgetMode;
  /** Retries that were granted since the budget was made. */
  readonly granted: number;
  /** Retries that were denied since the budget was made. */
  readonly denied: number;
}

/** Where a budget is kept: in this process, shared by a fleet, or in this process because the fleet's is out of reach. */
export type BudgetMode = 'local' | 'shared' | 'degraded';
