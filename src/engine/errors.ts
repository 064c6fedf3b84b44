import { isObject } from './read.ts';

const BRAND = Symbol.for('retryscope.error');

/** The `code` of each error that the library itself makes. */
export type RetryErrorCode =
  | 'ERR_RETRY_ATTEMPT_TIMEOUT'
  | 'ERR_RETRY_DEADLINE_EXCEEDED'
  | 'ERR_RETRY_NOT_RETRYABLE'
  | 'ERR_RETRY_RESULT'
  | 'ERR_RETRY_OPERATION_CLOSED'
  | 'ERR_RETRY_CIRCUIT_OPEN'
  | 'ERR_RETRY_RATE_LIMITED'
  | 'ERR_RETRY_BULKHEAD_FULL'
  | 'ERR_RETRY_HEDGE_LOST'
  | 'ERR_RETRY_HTTP_STATUS'
  | 'ERR_RETRY_BODY_USED';

/** True for errors of this library, also those of another copy of it in the same process. */
export function isRetryError(error: unknown): error is Error & { readonly code: RetryErrorCode } {
  try {
    return isObject(error) && BRAND in error;
  } catch {
    return false;
  }
}

abstract class RetryError extends Error {
  abstract readonly code: RetryErrorCode;
}
Object.defineProperty(RetryError.prototype, BRAND, { value: true });

/** An attempt ran longer than `attemptTimeout`. Transient: another attempt may be faster. */
export class AttemptTimeoutError extends RetryError {
  override readonly name: string = 'AttemptTimeoutError';
  readonly code: RetryErrorCode = 'ERR_RETRY_ATTEMPT_TIMEOUT';
  /** The limit, in milliseconds. */
  readonly timeoutMs: number;

  constructor(attempt: number, timeoutMs: number) {
    super(`Attempt ${attempt} took longer than attemptTimeout, ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}

/**
 * `maxElapsed` or the deadline passed while an attempt was running, or the deadline before the first one. Its `cause` is what the attempt before it
 * threw.
 */
export class DeadlineExceededError extends RetryError {
  override readonly name: string = 'DeadlineExceededError';
  readonly code: RetryErrorCode = 'ERR_RETRY_DEADLINE_EXCEEDED';

  /** `attempt` is the one that was cut off; 0 when none was made. */
  constructor(attempt: number, options?: ErrorOptions) {
    const what = attempt === 0 ? 'No attempt was made' : `Attempt ${attempt} was cut off`;
    super(`${what}: the call ran out of time`, options);
  }
}

/**
 * Throw it from the retried function to end the call at once.
 *
 * @example
 * ```ts
 * await retry(async () => {
 *   const order = await loadOrder(id);
 *   if (order.cancelled) throw new NonRetryableError('The order was cancelled');
 *   return order;
 * });
 * ```
 */
export class NonRetryableError extends RetryError {
  override readonly name: string = 'NonRetryableError';
  readonly code: RetryErrorCode = 'ERR_RETRY_NOT_RETRYABLE';
  readonly retryable = false as const;
}

/** What observers are told when `retryOnResult` refused a result. It is never thrown: the caller gets the result. */
export class RefusedResultError extends RetryError {
  override readonly name: string = 'RefusedResultError';
  readonly code: RetryErrorCode = 'ERR_RETRY_RESULT';

  constructor() {
    super('retryOnResult refused the result');
  }
}

/** The circuit was open before the first attempt, so there is no error of an attempt to throw. */
export class CircuitOpenError extends RetryError {
  override readonly name: string = 'CircuitOpenError';
  readonly code: RetryErrorCode = 'ERR_RETRY_CIRCUIT_OPEN';
  /** The name of the breaker. */
  readonly breaker: string;
  /** Milliseconds until the circuit lets attempts through again; `Infinity` when it was opened by hand. */
  readonly openForMs: number;

  constructor(breaker: string, openForMs: number) {
    super(`The circuit "${breaker}" is open`);
    this.breaker = breaker;
    this.openForMs = openForMs;
  }
}

/** The `adaptive` limit refused the first attempt, so there is no error of an attempt to throw. */
export class RateLimitedError extends RetryError {
  override readonly name: string = 'RateLimitedError';
  readonly code: RetryErrorCode = 'ERR_RETRY_RATE_LIMITED';

  constructor(limit: string) {
    super(`The adaptive limit "${limit}" refused the attempt`);
  }
}

/** A `Bulkhead` had neither a slot nor room in its queue. Transient: both may be free a little later. */
export class BulkheadFullError extends RetryError {
  override readonly name: string = 'BulkheadFullError';
  readonly code: RetryErrorCode = 'ERR_RETRY_BULKHEAD_FULL';

  constructor(bulkhead: string, limit: number, queue: number) {
    super(`The bulkhead "${bulkhead}" is full: ${limit} attempts are running and ${queue} are waiting`);
  }
}

/** The reason with which the slower one of two hedged attempts is aborted. It is never thrown to the caller. */
export class HedgeLostError extends RetryError {
  override readonly name: string = 'HedgeLostError';
  readonly code: RetryErrorCode = 'ERR_RETRY_HEDGE_LOST';

  constructor() {
    super('Another attempt of the same call was faster');
  }
}

/** `run` was called on a `RetryableOperation` that has been disposed of, or was still running then. */
export class OperationClosedError extends RetryError {
  override readonly name: string = 'OperationClosedError';
  readonly code: RetryErrorCode = 'ERR_RETRY_OPERATION_CLOSED';

  constructor() {
    super('The RetryableOperation was disposed of');
  }
}
