import type { AttemptContext } from '../../engine/attempt.ts';

/** What the handler of an operation is told of the attempt that it makes: its `this`. */
export interface OperationContext extends AttemptContext {
  /**
   * The same in every attempt and every redrive of one call, and in no other: send it along, so that the other side can
   * tell a repetition from a new request. Redrives of a call whose key a letter must not hold send a digest of it, and that
   * only where the operation has a `restore`.
   */
  readonly idempotencyKey: string;
  /** 0 in the call itself, n in the n-th redrive of its letter. */
  readonly redrive: number;
}

/** Makes the context of one attempt. The signal is asked of the attempt when the handler asks for it. */
export function contextOf(attempt: AttemptContext, redrive: number, idempotencyKey: () => string): OperationContext {
  return {
    number: attempt.number,
    maxAttempts: attempt.maxAttempts,
    previousError: attempt.previousError,
    delayMs: attempt.delayMs,
    redrive,
    get signal() {
      return attempt.signal;
    },
    get idempotencyKey() {
      return idempotencyKey();
    },
  };
}
