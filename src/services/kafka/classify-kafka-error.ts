import { classifyError } from '../../engine/classify.ts';
import { isRetryError } from '../../engine/errors.ts';
import type { ErrorClass } from '../../engine/outcome.ts';
import { read } from '../../engine/read.ts';
import { isNamedKafka, isPlatformaticTimeout, kafkaCode, MAX_DEPTH, parts, unwrapped } from './kafka-error.ts';
import { NETWORK_CODES, QUOTA_EXCEEDED, RETRIABLE_CODES, RETRIABLE_LOCAL_CODES } from './protocol-errors.ts';

/**
 * Whether an error of a Kafka client is worth another attempt. The code of the Kafka protocol decides where there is one,
 * by Kafka's own table, so that all clients are judged alike; else what the client says (`retriable` of kafkajs,
 * `canRetry` of @platformatic/kafka); else whether a connection failed. Of a batch, one part that will not change makes
 * all of it permanent. Anything else is no error of Kafka, and permanent. Never throws.
 *
 * @example
 * ```ts
 * await retry(() => producer.sendBatch({ topicMessages }), { retryOn: classifyKafkaError });
 * ```
 */
export function classifyKafkaError(error: unknown): ErrorClass {
  return classifyWithin(error, MAX_DEPTH);
}

function classifyWithin(error: unknown, depth: number): ErrorClass {
  const inner = unwrapped(error);
  // What the user says of an error goes before what we read in it.
  if (read(inner, 'retryable') === false) return 'permanent';
  const classes = depth > 0 ? parts(inner).map(part => classifyWithin(part, depth - 1)) : [];
  if (classes.length > 0) return worst(classes);
  if (read(inner, 'fatal') === true || read(inner, 'isFatal') === true) return 'permanent';
  const code = kafkaCode(inner);
  if (code === QUOTA_EXCEEDED) return 'throttled';
  if (code !== undefined && isListed(code)) return 'transient';
  if (code !== undefined) return 'permanent';
  return said(inner) ?? classifyOther(inner);
}

function isListed(code: number): boolean {
  return RETRIABLE_CODES.has(code) || RETRIABLE_LOCAL_CODES.has(code);
}

/** What a client says of an error without a code of the protocol. */
function said(error: unknown): ErrorClass | undefined {
  if (isPlatformaticTimeout(error)) return 'transient';
  const flag = read(error, 'retriable') ?? read(error, 'canRetry') ?? read(error, 'isRetriable');
  if (flag === false) return 'permanent';
  // Certificates that are refused are connection errors too, and those all count as retriable.
  return flag === true ? classifyError(error) : undefined;
}

function classifyOther(error: unknown): ErrorClass {
  const known = classifyError(error);
  if (known !== 'transient') return known;
  const isWorthIt =
    isNamedKafka(error) ||
    isRetryError(error) ||
    read(error, 'retryable') === true ||
    NETWORK_CODES.has(read(error, 'code'));
  return isWorthIt ? 'transient' : 'permanent';
}

const BY_WEIGHT: readonly ErrorClass[] = ['permanent', 'cancelled', 'throttled', 'transient'];

function worst(classes: readonly ErrorClass[]): ErrorClass {
  return BY_WEIGHT.find(errorClass => classes.includes(errorClass)) ?? 'permanent';
}
