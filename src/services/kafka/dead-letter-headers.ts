import { errorMessage, errorType } from '../../engine/describe-error.ts';
import type { RetrySummary } from '../../engine/retry-summary.ts';
import type { ConsumedRecord } from './consumed-record.ts';
import type { AddedHeaders } from './headers.ts';

/**
 * The headers of a dead letter. Those that begin with `kafka_dlt-` have the names and the binary forms of Spring Kafka, so
 * that its tools read them; numbers are big-endian. The others are ours, in text.
 */
export const DEAD_LETTER_HEADERS: Readonly<Record<DeadLetterHeader, string>> = Object.freeze({
  originalTopic: 'kafka_dlt-original-topic',
  /** 4 bytes. */
  originalPartition: 'kafka_dlt-original-partition',
  /** 8 bytes. */
  originalOffset: 'kafka_dlt-original-offset',
  /** 8 bytes: milliseconds since 1970. */
  originalTimestamp: 'kafka_dlt-original-timestamp',
  /** The low-cardinality name of the error; see `errorType`. */
  exceptionType: 'kafka_dlt-exception-fqcn',
  /** Redacted, and at most 1024 characters. */
  exceptionMessage: 'kafka_dlt-exception-message',
  operation: 'retry-operation',
  /** Attempts that were made. */
  attempts: 'retry-attempts',
  stopReason: 'retry-stop-reason',
  /** Milliseconds that were waited between attempts. */
  totalDelay: 'retry-total-delay-ms',
});

/** What a dead letter says of its message. */
export type DeadLetterHeader =
  | 'originalTopic'
  | 'originalPartition'
  | 'originalOffset'
  | 'originalTimestamp'
  | 'exceptionType'
  | 'exceptionMessage'
  | 'operation'
  | 'attempts'
  | 'stopReason'
  | 'totalDelay';

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
    [H.originalPartition]: partition === undefined ? undefined : int32(partition),
    [H.originalOffset]: offset === undefined ? undefined : int64(offset),
    [H.originalTimestamp]: timestamp === undefined ? undefined : int64(timestamp),
    [H.exceptionType]: text(errorType(error)),
    [H.exceptionMessage]: text(errorMessage(error)),
    [H.operation]: text(operation),
    [H.attempts]: text(`${summary.attempts}`),
    [H.stopReason]: text(summary.reason),
    [H.totalDelay]: text(`${Math.round(summary.totalDelayMs)}`),
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as AddedHeaders;
}

function text(value: string | undefined): Buffer | undefined {
  return value === undefined ? undefined : Buffer.from(value);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt.asIntN(64, value));
  return bytes;
}
