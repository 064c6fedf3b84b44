const BRAND = Symbol.for('retryscope.error');

/** The `code` of each error that the library itself makes. */
export type RetryErrorCode =
  | 'ERR_RETRY_ATTEMPT_TIMEOUT'
  | 'ERR_RETRY_DEADLINE_EXCEEDED'
  | 'ERR_RETRY_NOT_RETRYABLE'
  | 'ERR_RETRY_RESULT'
  | 'ERR_RETRY_OPERATION_CLOSED';

/** True for errors of this library, also those of another copy of it in the same process. */
export function isRetryError(error: unknown): error is Error & { readonly code: RetryErrorCode } {
  try {
    return typeof error === 'object' && error !== null && BRAND in error;
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

/** `maxElapsed` passed while an attempt was running. Its `cause` is what the attempt before it threw. */
export class DeadlineExceededError extends RetryError {
  override readonly name: string = 'DeadlineExceededError';
  readonly code: RetryErrorCode = 'ERR_RETRY_DEADLINE_EXCEEDED';

  constructor(attempt: number, maxElapsed: number, options?: ErrorOptions) {
    super(`Attempt ${attempt} was cut off: the call reached maxElapsed, ${maxElapsed} ms`, options);
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

/** `run` was called on a `RetryableOperation` that has been disposed of, or was still running then. */
export class OperationClosedError extends RetryError {
  override readonly name: string = 'OperationClosedError';
  readonly code: RetryErrorCode = 'ERR_RETRY_OPERATION_CLOSED';

  constructor() {
    super('The RetryableOperation was disposed of');
  }
}
