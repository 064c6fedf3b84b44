import { read } from '../../engine/read.ts';

const BRAND = Symbol.for('retryscope.error');

/**
 * What the caller gets in place of an answer when its call was handed over: the call is not over, and goes on later in
 * whichever process runs the worker. The error of the last attempt is its `cause`. Do not make the call again.
 *
 * @example
 * ```ts
 * try {
 *   await chargeCard(order);
 * } catch (error) {
 *   if (isHandedOver(error)) return response.status(202).json({ goesOnAt: new Date(error.goesOnAt) });
 *   throw error;
 * }
 * ```
 */
export class HandedOverError extends Error {
  override readonly name: string = 'HandedOverError';
  readonly code = 'ERR_RETRY_HANDED_OVER';
  /** Layers of retries around the call leave it alone: it is being retried already. */
  readonly retryable = false as const;
  readonly operation: string;
  /** The queue that holds the call, and the identifier of its job there. */
  readonly queue: string;
  readonly jobId: string;
  /** When the next attempt is due, in milliseconds since 1970. */
  readonly goesOnAt: number;
  /** Attempts that were made until then. */
  readonly attempts: number;
  /** The key that the attempts to come share with those that were made. */
  readonly idempotencyKey: string;

  constructor(call: HandedOverCall, cause: unknown) {
    const { operation, queue, jobId, goesOnAt, attempts, idempotencyKey } = call;
    super(`${operation} goes on at ${new Date(goesOnAt).toISOString()}: it was handed over after attempt ${attempts}`, {
      cause,
    });
    this.operation = operation;
    this.queue = queue;
    this.jobId = jobId;
    this.goesOnAt = goesOnAt;
    this.attempts = attempts;
    this.idempotencyKey = idempotencyKey;
  }
}
Object.defineProperty(HandedOverError.prototype, BRAND, { value: true });

/** What is known of a call that was handed over. */
export type HandedOverCall = Pick<
  HandedOverError,
  'operation' | 'queue' | 'jobId' | 'goesOnAt' | 'attempts' | 'idempotencyKey'
>;

/** True for a {@link HandedOverError}, also of another copy of the package in the same process. */
export function isHandedOver(error: unknown): error is HandedOverError {
  return read(error, 'code') === 'ERR_RETRY_HANDED_OVER' && read(error, BRAND) === true;
}
