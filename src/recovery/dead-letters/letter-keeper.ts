import type { StopReason } from '../../engine/outcome.ts';
import type { CallRecord } from './call-record.ts';
import type { LetterSource } from './letter.ts';
import type { StoredPayload } from './stored-payload.ts';

/** What an operation asks of a queue. */
export interface LetterKeeper {
  /** Keeps a call that was given up, and resolves once it is durable, or cannot become so. Must not reject. */
  keep(call: GivenUpCall): Promise<unknown>;
}

/** A call of a named operation that was given up. */
export interface GivenUpCall extends CallRecord {
  /** The id of its letter: a call that was handed over has one, and leaves one letter however often its end comes. */
  readonly id?: string;
  readonly operation: string;
  /** The version of its arguments. */
  readonly version: number;
  readonly args: readonly unknown[];
  /** The arguments as they are stored already, for a call that nobody here could make: then `args` is empty. */
  readonly payload?: StoredPayload;
  /** What the caller gets: any value at all, never to be trusted. */
  readonly error: unknown;
  readonly reason: StopReason;
  readonly attempts: number;
  readonly idempotencyKey: string;
  readonly source: LetterSource | undefined;
}
