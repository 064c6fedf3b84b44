import type { DelaySource } from '../../engine/outcome.ts';
import type { CallRecord } from './call-record.ts';
import type { LetterSource } from './letter.ts';
import type { StoredCall } from './stored-call.ts';

/** What an operation asks of whoever keeps calls over long waits; `BullmqWaits` and `PgBossWaits` answer it. */
export interface WaitKeeper {
  /**
   * Takes a call over that is to go on later, and resolves once that is durable. Undefined when it could not, or when
   * `signal` has aborted: the call then waits in memory, and must not be taken over after all. Must not reject.
   */
  handOver(call: WaitingCall, signal: AbortSignal): Promise<TakenCall | undefined>;
}

/** A call of a named operation whose next attempt is far away. */
export interface WaitingCall extends CallRecord {
  readonly operation: string;
  /** The version of its arguments. */
  readonly version: number;
  readonly args: readonly unknown[];
  /** True where the operation can make the arguments out of what is left of them. */
  readonly isRestorable: boolean;
  /** What the last attempt threw: any value at all, never to be trusted. */
  readonly error: unknown;
  /** Attempts that were made. */
  readonly attempts: number;
  readonly wait: Wait;
  /** Milliseconds since 1970 when the call began. */
  readonly startedAt: number;
  /** Milliseconds since 1970; undefined for none. */
  readonly deadline: number | undefined;
  readonly idempotencyKey: string;
  readonly source: LetterSource | undefined;
  /** What the call was when it was taken over before; undefined for the first time. */
  readonly before: ContinuedCall | undefined;
}

/** The wait before the next attempt. */
export interface Wait {
  readonly delayMs: number;
  readonly delaySource: DelaySource;
}

/** Where a call is that was taken over. */
export interface TakenCall {
  readonly queue: string;
  readonly jobId: string;
  /** Milliseconds since 1970. */
  readonly goesOnAt: number;
}

/** A call that was taken over, when it goes on. */
export interface ContinuedCall extends StoredCall {
  /** The wait that is over now. */
  readonly wait: Wait;
  readonly startedAt: number;
  readonly deadline: number | undefined;
}

/** Which waits of an operation are too long for memory, and who keeps the calls meanwhile. */
export interface LongWaits {
  /** Milliseconds. */
  readonly maxInProcessDelay: number;
  readonly keeper: WaitKeeper;
}

/** The longest wait in memory where none is given, in milliseconds. */
export const DEFAULT_LONGEST_WAIT_MS = 30_000;
