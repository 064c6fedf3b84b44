import type { LetterAttempt, LetterTrace } from './letter.ts';

/** What a letter needs to know of the call. Times are milliseconds since 1970. */
export interface CallRecord {
  readonly history: readonly LetterAttempt[];
  readonly firstFailedAt: number;
  readonly failedAt: number;
  readonly trace: LetterTrace | undefined;
}
