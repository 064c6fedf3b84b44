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
