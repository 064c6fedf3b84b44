import type { OpenCircuit } from './decide.ts';
import { CircuitOpenError, RateLimitedError } from './errors.ts';
import { reportFault } from './faults.ts';
import { guarded } from './guarded.ts';
import type { AdaptiveLimit, AttemptVerdict, Breaker, Budget, DepositSource, Permit } from './limits.ts';
import type { ErrorClass, StopReason } from './outcome.ts';
import { read } from './read.ts';
import { handleStrayPromise } from './stray-promise.ts';

/** The limits that a policy names. */
export interface LimitTerms {
  readonly budget: Budget | undefined;
  readonly breaker: Breaker | undefined;
  readonly adaptive: AdaptiveLimit | undefined;
}

/** What the limits say to the next attempt. */
export type Admission =
  | { readonly next: 'go' }
  | { readonly next: 'wait'; readonly waitMs: number }
  | { readonly next: 'stop'; readonly reason: StopReason; readonly error: unknown };

/**
 * What one call holds of the limits of its policy: a permit of the breaker, and what its last retry cost the budget.
 * Limits may be objects of the user's own, so whatever they throw is counted; a broken budget then grants nothing, and
 * a broken breaker or rate limit bars nothing.
 */
export class CallLimits {
  readonly #terms: LimitTerms;
  #permit: Permit | undefined = undefined;
  #isAdmitted = false;
  #spent = 0;

  constructor(terms: LimitTerms) {
    this.#terms = terms;
  }

  /** A call has started. */
  started(): void {
    this.#deposit('call', 0);
  }

  /** True when an attempt has to be asked for. */
  get mustAsk(): boolean {
    return this.#terms.breaker !== undefined || this.#terms.adaptive !== undefined;
  }

  /** The same limits, for an attempt beside the present one. */
  beside(): CallLimits {
    const other = new CallLimits(this.#terms);
    other.#spent = this.#spent;
    return other;
  }

  /** Asks for an attempt. After `wait` the call waits and asks again. */
  enter(attempt: number): Admission {
    const { adaptive } = this.#terms;
    if (adaptive !== undefined && !this.#isAdmitted) {
      const waitMs = this.#admit(adaptive, attempt);
      if (waitMs === undefined) {
        return { next: 'stop', reason: 'budget_exhausted', error: new RateLimitedError(adaptive.name) };
      }
      this.#isAdmitted = true;
      if (waitMs > 0) return { next: 'wait', waitMs };
    }
    return this.#enterCircuit();
  }

  /** The attempt has ended; what it says about the other side goes to the breaker and the rate limit. */
  leave(verdict: AttemptVerdict, errorClass: ErrorClass | undefined): void {
    const { breaker, adaptive } = this.#terms;
    const permit = this.#permit;
    const wasAdmitted = this.#isAdmitted;
    this.#permit = undefined;
    this.#isAdmitted = false;
    if (permit !== undefined) ask(() => breaker?.leave(permit, verdict));
    if (wasAdmitted) {
      ask(() => adaptive?.record(verdict === 'failure' && errorClass === 'throttled' ? 'throttled' : verdict));
    }
  }

  /** An attempt has succeeded. */
  succeeded(): void {
    this.leave('success', undefined);
    this.#deposit('success', this.#spent);
  }

  /** An attempt has failed. */
  failed(error: unknown, errorClass: ErrorClass): void {
    const verdict = verdictOn(error, errorClass);
    this.leave(verdict, errorClass);
    if (verdict === 'failure') ask(() => this.#terms.budget?.charge?.(errorClass));
  }

  /** The circuit, if it does not let attempts through now. */
  openCircuit(): OpenCircuit | undefined {
    const { breaker } = this.#terms;
    if (breaker === undefined) return undefined;
    const openForMs = ask(() => breaker.openForMs());
    return openForMs !== undefined && openForMs > 0 ? { openForMs, whenOpen: breaker.whenOpen } : undefined;
  }

  /** Asks the budget for a retry. */
  withdraw(error: unknown, errorClass: ErrorClass): boolean | Promise<boolean> {
    const { budget } = this.#terms;
    if (budget === undefined) return true;
    try {
      const answer = budget.tryWithdraw(errorClass, error);
      return typeof answer === 'object' ? Promise.resolve(answer).then(this.#accept, refuse) : this.#accept(answer);
    } catch (fault) {
      return refuse(fault);
    }
  }

  /** Tokens left in the budget; undefined where there is none. */
  get budgetTokens(): number | undefined {
    return ask(() => this.#terms.budget?.balance());
  }

  readonly #accept = (cost: number | undefined): boolean => {
    if (cost === undefined) return false;
    this.#spent = cost;
    return true;
  };

  #deposit(source: DepositSource, spent: number): void {
    ask(() => this.#terms.budget?.deposit(source, spent));
  }

  #admit(adaptive: AdaptiveLimit, attempt: number): number | undefined {
    return ask(() => adaptive.admit(attempt), 0);
  }

  #enterCircuit(): Admission {
    const { breaker } = this.#terms;
    if (breaker === undefined) return GO;
    try {
      this.#permit = breaker.tryEnter();
      handleStrayPromise('limit', this.#permit);
      if (this.#permit !== undefined) return GO;
      const openForMs = breaker.openForMs();
      handleStrayPromise('limit', openForMs);
      // Refused because all probes are out, or by a hair; either way it is not to be asked again at once. There is no
      // waiting for ever, nor for a time that is no number.
      if (breaker.whenOpen === 'wait' && openForMs < Infinity) return { next: 'wait', waitMs: Math.max(1, openForMs) };
      return { next: 'stop', reason: 'circuit_open', error: new CircuitOpenError(breaker.name, openForMs) };
    } catch (fault) {
      reportFault('limit', fault);
      return GO;
    }
  }
}

/** The limits of a call that starts now; undefined where the policy names none. */
export function startLimits(terms: LimitTerms | undefined): CallLimits | undefined {
  if (terms === undefined) return undefined;
  const limits = new CallLimits(terms);
  limits.started();
  return limits;
}

const GO: Admission = { next: 'go' };

/**
 * What a failure says about the health of what was called: an error that will not change shows that the other side
 * answers, an abort or a full bulkhead shows nothing.
 */
function verdictOn(error: unknown, errorClass: ErrorClass): AttemptVerdict {
  if (errorClass === 'cancelled' || read(error, 'code') === 'ERR_RETRY_BULKHEAD_FULL') return 'ignored';
  return errorClass === 'permanent' ? 'success' : 'failure';
}

/** What a limit says; `otherwise` where it throws. */
function ask<V>(question: () => V, otherwise?: V): V | undefined {
  return guarded('limit', question, otherwise);
}

function refuse(fault: unknown): false {
  reportFault('limit', fault);
  return false;
}
