import { read } from '../../engine/read.ts';

/**
 * The error that says what went wrong. kafkajs wraps it when its own retries end, and again when those are nested; both
 * wrappers call themselves not retriable whatever is in them.
 */
export function unwrapped(error: unknown): unknown {
  let inner = error;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const cause = read(inner, 'cause');
    if (!WRAPPERS.has(read(inner, 'name')) || typeof cause !== 'object' || cause === null) return inner;
    inner = cause;
  }
  return inner;
}

/**
 * The errors of which one consists: those of the partitions and brokers of a batch. Where a client lists what each of its
 * own attempts brought, only the last of them counts.
 */
export function parts(error: unknown): readonly unknown[] {
  const errors = read(error, 'errors');
  const length = read(errors, 'length');
  // In this order: `Array.isArray` throws for a proxy that was revoked, and that has no length.
  if (typeof length !== 'number' || !Array.isArray(errors)) return [];
  if (ownRetries(error) > 0) return [read(errors, length - 1)];
  return Array.from({ length: Math.min(length, MAX_PARTS) }, (_, i) => read(errors, i));
}

/** The number by which the Kafka protocol, or librdkafka, knows an error; undefined where it has none. */
export function kafkaCode(error: unknown): number | undefined {
  const apiCode = read(error, 'apiCode');
  if (isInteger(apiCode) && isPlatformatic(error)) return apiCode;
  const code = read(error, 'code');
  return isInteger(code) && (isNamedKafka(error) || isLibrdKafka(error)) ? code : undefined;
}

/** True for an error whose name says that it comes from Kafka: `KafkaJSProtocolError`, `KafkaError`. */
export function isNamedKafka(error: unknown): boolean {
  const name = read(error, 'name');
  return typeof name === 'string' && name.startsWith('Kafka');
}

/** True for an error of @platformatic/kafka. */
export function isPlatformatic(error: unknown): boolean {
  const code = read(error, 'code');
  return typeof code === 'string' && code.startsWith('PLT_KFK_');
}

/** True for a request of @platformatic/kafka that took too long: it has the code of another error. */
export function isPlatformaticTimeout(error: unknown): boolean {
  return isPlatformatic(error) && read(read(error, 'constructor'), 'name') === 'TimeoutError';
}

/** How many retries the client says that it made itself before it threw this error, looking at no other in it. */
export function ownRetries(error: unknown): number {
  const retryCount = read(error, 'retryCount');
  if (read(error, 'name') === 'KafkaJSNumberOfRetriesExceeded' && isInteger(retryCount)) return Math.max(0, retryCount);
  // The text alone tells a list of attempts from a list of partitions.
  const message = read(error, 'message');
  if (read(error, 'code') !== 'PLT_KFK_MULTIPLE' || typeof message !== 'string') return 0;
  const times = / failed (\d{1,9}) times\.$/.exec(message)?.[1];
  return times === undefined ? 0 : Number(times) - 1;
}

/** How deep an error is looked into. */
export const MAX_DEPTH = 5;
/** How many parts of an error are looked at: a batch may have as many as there are partitions. */
const MAX_PARTS = 100;
const WRAPPERS = new Set<unknown>(['KafkaJSNumberOfRetriesExceeded', 'KafkaJSNonRetriableError']);

function isLibrdKafka(error: unknown): boolean {
  if (read(read(error, 'constructor'), 'name') === 'LibrdKafkaError') return true;
  const origin = read(error, 'origin');
  return origin === 'local' || origin === 'kafka';
}

function isInteger(value: unknown): value is number {
  return Number.isInteger(value);
}
