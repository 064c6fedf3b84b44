import type { StopReason } from '../../engine/outcome.ts';
import type { CallRecord } from './call-history.ts';
import type { LetterSource } from './letter.ts';

/** What an operation asks of a queue. */
export interface LetterKeeper {
  /** Keeps a call that was given up, and resolves once it is durable, or cannot become so. Must not reject. */
  keep(call: GivenUpCall): Promise<unknown>;
}

/** A call of a named operation that was given up. */
export interface GivenUpCall extends CallRecord {
  readonly operation: string;
  /** The version of its arguments. */
  readonly version: number;
  readonly args: readonly unknown[];
  /** What the caller gets: any value at all, never to be trusted. */
  readonly error: unknown;
  readonly reason: StopReason;
  readonly attempts: number;
  readonly idempotencyKey: string;
  readonly source: LetterSource | undefined;
}
