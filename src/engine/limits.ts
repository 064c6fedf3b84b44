import type { ErrorClass } from './outcome.ts';

/**
 * What the engine asks of a retry budget. `RetryBudget` and its kin answer it; so may an object of your own.
 * A budget is asked before the wait of a retry, and it can only turn that retry into a stop.
 */
export interface Budget {
  /** The metric label, so keep it low in cardinality. */
  readonly name: string;
  /** Tokens left now. */
  balance(): number;
  /**
   * Something that may refill the budget: a call has started, or an attempt has succeeded after `spent` tokens had
   * been taken for the retry that led to it (0 for a first attempt).
   */
  deposit(source: DepositSource, spent: number): void;
  /** An attempt has failed, whatever follows. Only budgets that charge failures instead of retries listen. */
  charge?(errorClass: ErrorClass): void;
  /**
   * Asks for one retry of an attempt that failed with this class and error. Answers with the tokens that it took (0 is a yes
   * too), or with undefined for a no. A promise is for budgets that must ask elsewhere; it must not reject.
   */
  tryWithdraw(errorClass: ErrorClass, error: unknown): number | undefined | Promise<number | undefined>;
}

/** What a budget can be funded by. */
export type DepositSource = 'call' | 'success';

/** What the engine asks of a circuit breaker: once before and once after each attempt. */
export interface Breaker {
  /** The metric label, so keep it low in cardinality. */
  readonly name: string;
  /** Whether a call that meets the open circuit stops, or waits until it lets attempts through again. */
  readonly whenOpen: 'stop' | 'wait';
  /** Asks for an attempt: a permit to give back, or undefined for a no. */
  tryEnter(): Permit | undefined;
  /** Gives a permit back with what the attempt brought. One that was given before the last change of state is ignored. */
  leave(permit: Permit, result: AttemptVerdict): void;
  /** Milliseconds until the circuit lets attempts through again: 0 when it does now. */
  openForMs(): number;
}

/** A permit of a {@link Breaker}: opaque to whoever holds it. */
export type Permit = number;

/** What an attempt says about the health of what it called: `ignored` says nothing, as an abort does. */
export type AttemptVerdict = 'success' | 'failure' | 'ignored';

/** What the engine asks of a limit on the rate of attempts, first attempts included. */
export interface AdaptiveLimit {
  /** The metric label, so keep it low in cardinality. */
  readonly name: string;
  /** Asks for an attempt, from 1: the milliseconds to wait for it (0 for none), or undefined for a no. */
  admit(attempt: number): number | undefined;
  /** What an attempt that was admitted brought. */
  record(result: 'success' | 'throttled' | 'failure' | 'ignored'): void;
}

/** What the engine asks of a limit on concurrent attempts. */
export interface ConcurrencyLimit {
  /**
   * Runs `fn` as soon as there is room, in the async context of whoever called `run`.
   * Rejects when the queue is full, or with `signal.reason` when the signal aborts in the queue.
   */
  run<R>(fn: () => R | PromiseLike<R>, signal: AbortSignal | undefined): R | PromiseLike<R>;
}
