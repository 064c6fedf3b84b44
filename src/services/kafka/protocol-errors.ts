/**
 * The error codes of the Kafka protocol that its own table calls retriable
 * (https://kafka.apache.org/protocol#protocol_error_codes). Every other code will be the same next time.
 */
export const RETRIABLE_CODES: ReadonlySet<number> = new Set([
  2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 70, 71, 72, 74, 75, 78, 80, 83, 84, 88, 89, 100, 103, 106, 122,
  123,
]);

/** THROTTLING_QUOTA_EXCEEDED: the broker asks for less. */
export const QUOTA_EXCEEDED = 89;

/**
 * Codes that librdkafka makes up itself, for what may be better next time: no connection, no address, a time that ran
 * out, a full queue, a coordinator or metadata to be waited for, a batch that failed because of another record in it.
 * Its own `isRetriable` speaks of transactions alone.
 */
export const RETRIABLE_LOCAL_CODES: ReadonlySet<number> = new Set([
  -195, -193, -192, -187, -185, -184, -183, -182, -180, -178, -166, -164, -163, -153, -138, -137,
]);

/** UNKNOWN_PARTITION of librdkafka: the topic has no such partition. */
export const UNKNOWN_LOCAL_PARTITION = -190;

/**
 * Codes after which a message may be in the log although the publish failed: REQUEST_TIMED_OUT, NETWORK_EXCEPTION,
 * NOT_ENOUGH_REPLICAS_AFTER_APPEND, UNKNOWN_SERVER_ERROR, and of librdkafka TRANSPORT, MSG_TIMED_OUT and TIMED_OUT.
 */
export const UNKNOWN_OUTCOME_CODES: ReadonlySet<number> = new Set([7, 13, 20, -1, -195, -192, -185]);

/**
 * Codes by which a group tells a member that its partitions are, or may be, another's now: NOT_COORDINATOR,
 * ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS, FENCED_INSTANCE_ID, FENCED_MEMBER_EPOCH,
 * STALE_MEMBER_EPOCH, and MAX_POLL_EXCEEDED and ASSIGNMENT_LOST of librdkafka.
 */
export const REBALANCE_CODES: ReadonlySet<number> = new Set([16, 22, 25, 27, 82, 110, 113, -147, -142]);

/** Connections that were never made: nothing can have been sent. */
export const NOT_CONNECTED_CODES: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** System errors of a connection, whichever client has passed them on. */
export const NETWORK_CODES: ReadonlySet<unknown> = new Set([
  ...NOT_CONNECTED_CODES,
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
]);
