import type { DeadLetter } from '../letter.ts';
import { int32Bytes, int64Bytes, textBytes } from './header-bytes.ts';
import { DEAD_LETTER_HEADERS as H } from './header-names.ts';

/** The headers of a letter: Spring's, where its source is known, and ours. All that they say is in the letter, redacted. */
export function letterHeaders({
  id,
  operation,
  error,
  attempts,
  reason,
  source,
  firstFailedAt,
  lastFailedAt,
  idempotencyKey,
}: DeadLetter): Readonly<Record<string, Buffer>> {
  const partition = int32Of(source?.partition);
  const offset = int64Of(source?.offset);
  return {
    ...(source === undefined ? {} : { [H.originalTopic]: textBytes(source.topic) }),
    ...(partition === undefined ? {} : { [H.originalPartition]: int32Bytes(partition) }),
    ...(offset === undefined ? {} : { [H.originalOffset]: int64Bytes(offset) }),
    [H.exceptionType]: textBytes(error.type),
    [H.exceptionMessage]: textBytes(error.message),
    [H.operation]: textBytes(operation),
    [H.attempts]: textBytes(`${attempts}`),
    [H.stopReason]: textBytes(reason),
    [LETTER_HEADERS.id]: textBytes(id),
    [LETTER_HEADERS.firstFailedAt]: textBytes(`${firstFailedAt}`),
    [LETTER_HEADERS.lastFailedAt]: textBytes(`${lastFailedAt}`),
    [LETTER_HEADERS.idempotencyKey]: textBytes(idempotencyKey),
  };
}

/** The headers that only a letter of a store has. */
export const LETTER_HEADERS: Readonly<Record<LetterHeader, string>> = Object.freeze({
  id: 'retry-letter-id',
  /** Milliseconds since 1970, in text; so is the next. */
  firstFailedAt: 'retry-first-failed-at',
  lastFailedAt: 'retry-last-failed-at',
  idempotencyKey: 'retry-idempotency-key',
});

/** What only a letter of a store says. */
export type LetterHeader = 'id' | 'firstFailedAt' | 'lastFailedAt' | 'idempotencyKey';

/** A number that the form of a header cannot hold is left out: cut off, it would be another one. */
function int32Of(partition: number | undefined): number | undefined {
  return partition === undefined || (partition | 0) !== partition ? undefined : partition;
}

function int64Of(offset: string | undefined): bigint | undefined {
  if (offset === undefined || !/^-?\d{1,19}$/.test(offset)) return undefined;
  const value = BigInt(offset);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}
