import { errorMessage, errorType } from '../../engine/describe-error.ts';
import type { RetrySummary } from '../../engine/retry-summary.ts';
import { int32Bytes, int64Bytes, textBytes } from '../../recovery/dead-letters/kafka/header-bytes.ts';
import { DEAD_LETTER_HEADERS } from '../../recovery/dead-letters/kafka/header-names.ts';
import type { ConsumedRecord } from './consumed-record.ts';
import type { AddedHeaders } from './headers.ts';

export { DEAD_LETTER_HEADERS, type DeadLetterHeader } from '../../recovery/dead-letters/kafka/header-names.ts';

/** The headers that tell why a message became a dead letter. What is not known of it is left out. */
export function deadLetterHeaders(
  record: ConsumedRecord,
  operation: string | undefined,
  error: unknown,
  summary: RetrySummary,
): AddedHeaders {
  const { topic, partition, offset, timestamp } = record;
  const H = DEAD_LETTER_HEADERS;
  const values: Record<string, Buffer | undefined> = {
    [H.originalTopic]: text(topic),
    [H.originalPartition]: partition === undefined ? undefined : int32Bytes(partition),
    [H.originalOffset]: offset === undefined ? undefined : int64Bytes(offset),
    [H.originalTimestamp]: timestamp === undefined ? undefined : int64Bytes(timestamp),
    [H.exceptionType]: textBytes(errorType(error)),
    [H.exceptionMessage]: textBytes(errorMessage(error)),
    [H.operation]: text(operation),
    [H.attempts]: textBytes(`${summary.attempts}`),
    [H.stopReason]: textBytes(summary.reason),
    [H.totalDelay]: textBytes(`${Math.round(summary.totalDelayMs)}`),
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as AddedHeaders;
}

function text(value: string | undefined): Buffer | undefined {
  return value === undefined ? undefined : textBytes(value);
}
