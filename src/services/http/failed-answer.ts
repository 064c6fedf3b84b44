import { read } from '../../engine/read.ts';

/**
 * An answer that means failure, with a body that nobody has read. Its connection is not free before the body has been
 * read or cancelled, so something has to be done before the wait for the next attempt: fifty calls that wait on top of
 * fifty unread answers are all that a pool of fifty connections lets in. None of these throws.
 */
export interface FailedAnswer {
  /** The call waits now: reads a small body of known length, and cancels any other. */
  makeRoom(): void;
  /** The caller gets the answer within an error, and may not look at it: frees the connection where that costs nothing. */
  handOver(): void;
  /** Nobody will see the answer. */
  drop(): void;
}

/** The failed answers of one call. */
export class FailedAnswers {
  readonly #answers = new Map<unknown, FailedAnswer>();

  add(error: object, answer: FailedAnswer): void {
    this.#answers.set(error, answer);
    byError.set(error, answer);
  }

  /** Drops those of earlier attempts, all but the one whose error or answer the caller gets. */
  dropAll(given?: unknown): void {
    for (const [error, answer] of this.#answers) {
      if (given !== undefined && (error === given || read(error, 'response') === given)) continue;
      this.#answers.delete(error);
      answer.drop();
    }
  }
}

/** Frees the connection of the answer that `error` came with, if it did, for the time of a wait. */
export function makeRoom(error: unknown): void {
  byError.get(error as object)?.makeRoom();
}

/** Prepares the answer that `error` came with, if it did, for a caller who may not look at it. */
export function handOver(error: unknown): void {
  byError.get(error as object)?.handOver();
}

const byError = new WeakMap<object, FailedAnswer>();

/** What is read of a body to keep its connection, in bytes. A longer one costs more than a new connection. */
export const MOST_READ: number = 128 * 1024;
/** How long a body may take that is read to keep its connection, in milliseconds. */
export const LONGEST_READ_MS = 1000;

/** The length that an answer's headers tell, or `Infinity` where they tell none. */
export function toldLength(value: unknown): number {
  return /^\d{1,15}$/.test(String(value)) ? Number(value) : Infinity;
}
