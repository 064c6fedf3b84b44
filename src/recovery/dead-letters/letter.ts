import type { ErrorDescription } from '../../engine/describe-error.ts';
import type { StopReason } from '../../engine/outcome.ts';
import type { StoredPayload } from './stored-payload.ts';

/**
 * A call that was given up, as a store keeps it: plain data, bounded in size, without secrets. It is never changed in
 * place; what happens to it makes a new one.
 */
export interface DeadLetter {
  /**
   * A UUID of version 7: the letters of a process sort by it in the order in which they were made. That of a call that was
   * handed over for a long wait is from then.
   */
  readonly id: string;
  /** The queue that keeps it. One store may hold several. */
  readonly queue: string;
  /** The name under which the handler was defined. It is looked up in a registry, never evaluated. */
  readonly operation: string;
  /** The arguments of the call. */
  readonly payload: StoredPayload;
  /** What the caller got, redacted and bounded. After a redrive that failed, what that one got. */
  readonly error: ErrorDescription;
  /** Why the call stopped. */
  readonly reason: StopReason;
  /** Attempts that were made in all, redrives included. */
  readonly attempts: number;
  /** Those attempts, oldest first: the first and the last ones where there were more than {@link MAX_HISTORY}. */
  readonly history: readonly LetterAttempt[];
  /** Milliseconds since 1970 of the first failure. */
  readonly firstFailedAt: number;
  /** Milliseconds since 1970 of the latest failure, redrives included. */
  readonly lastFailedAt: number;
  /** Milliseconds since 1970 when the call gave up: the age of a letter, and its place in the order, go by it. */
  readonly diedAt: number;
  /**
   * What the handler sends along, so that the other side can tell a repetition from a new request. Where the key looks like
   * a secret, or is too long, `sha256:` and its digest; `altered` of the payload then holds `idempotency_key`.
   */
  readonly idempotencyKey: string;
  /** Where the call ended in a trace; a redrive links to it. */
  readonly trace?: LetterTrace;
  /** Redrives that failed or succeeded. */
  readonly redrives: number;
  readonly state: LetterState;
  /** Where the work came from, where it came from a log of messages. */
  readonly source?: LetterSource;
}

/** One attempt in the history of a letter. */
export interface LetterAttempt {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** How long it ran, in milliseconds; left out for one that was cut off. */
  readonly durationMs?: number;
  /** Milliseconds waited before it. */
  readonly delayMs: number;
  /** The low-cardinality name of what it threw. */
  readonly errorType: string;
  /** 0 for an attempt of the call itself, n for one of the n-th redrive. */
  readonly redrive: number;
}

/** Identifiers of a span, in lower-case hexadecimal digits. */
export interface LetterTrace {
  /** 32 digits. */
  readonly traceId: string;
  /** 16 digits. */
  readonly spanId: string;
}

/** A place in a log of messages. */
export interface LetterSource {
  readonly topic: string;
  readonly partition?: number;
  /** Text: offsets are larger than what a number holds exactly. */
  readonly offset?: string;
}

/** What becomes of a letter. */
export type LetterState =
  /** Nobody works on it. */
  | { readonly is: 'dead' }
  /** A redriver works on it, until its lease ends; then the letter is dead again. */
  | { readonly is: 'claimed'; readonly owner: string; readonly until: number }
  /** A redrive succeeded. What is left is a record: the payload is gone. */
  | { readonly is: 'redriven'; readonly at: number }
  /** Put aside for a human, with the reason in a few words. */
  | { readonly is: 'quarantined'; readonly at: number; readonly why: string };

/** The names of the states. */
export type LetterStateName = LetterState['is'];

/** Every state, in the order in which tables list them. */
export const LETTER_STATES: readonly LetterStateName[] = Object.freeze(['dead', 'claimed', 'redriven', 'quarantined']);

/** How many attempts a letter remembers. */
export const MAX_HISTORY = 100;

/** The history with further attempts, kept within {@link MAX_HISTORY}: the first one says when it began. */
export function longerHistory(
  history: readonly LetterAttempt[],
  further: readonly LetterAttempt[],
): readonly LetterAttempt[] {
  const all = [...history, ...further];
  return all.length <= MAX_HISTORY ? all : [...all.slice(0, 1), ...all.slice(1 - MAX_HISTORY)];
}
