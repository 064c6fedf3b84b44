import { rememberGivenUp } from '../../engine/nesting.ts';
import { runtime } from '../../engine/runtime.ts';
import { MAX_DEPTH, ownRetries, parts } from './kafka-error.ts';

/**
 * Options that turn the clients' own retries off, so that only one layer retries:
 *
 * - `kafkajs`: for `new Kafka` **and** `kafka.producer`. An idempotent producer refuses 0; leave the retries to it.
 * - `platformatic`: for `new Producer` of @platformatic/kafka; not for an idempotent one, which takes 0 for "for ever".
 * - `librdkafka`: for the producer of @confluentinc/kafka-javascript (`kafkaJS: { retry: { retries: 0 } }` there is the
 *   same as `retries: 0` outside); not for an idempotent one.
 *
 * @example
 * ```ts
 * const kafka = new Kafka({ brokers, ...NO_CLIENT_RETRIES.kafkajs });
 * const producer = kafka.producer(NO_CLIENT_RETRIES.kafkajs);
 * ```
 */
export const NO_CLIENT_RETRIES: {
  readonly kafkajs: { readonly retry: { readonly retries: 0 } };
  readonly platformatic: { readonly retries: 0; readonly repeatOnStaleMetadata: false };
  readonly librdkafka: { readonly retries: 0 };
} = Object.freeze({
  kafkajs: Object.freeze({ retry: Object.freeze({ retries: 0 }) }),
  platformatic: Object.freeze({ retries: 0, repeatOnStaleMetadata: false }),
  librdkafka: Object.freeze({ retries: 0 }),
});

/**
 * How many retries a client says it made itself before it threw `error`: `retryCount` of kafkajs, the list of attempts of
 * @platformatic/kafka. 0 where it made none or does not say, as librdkafka. Never throws.
 */
export function clientRetries(error: unknown): number {
  return countWithin(error, MAX_DEPTH);
}

/**
 * Remembers that the client has retried within the present attempt, if its error says so: to the engine that is a layer
 * nearer to the failure, and under `nested: 'inner'` nobody retries above it.
 */
export function noteClientRetries(error: unknown): void {
  if (clientRetries(error) === 0) return;
  // Later than the start of the attempt, as a call inside it would be.
  const startedAs = ++runtime.sequence;
  rememberGivenUp({ startedAs, attemptStartedAs: startedAs }, error, undefined);
}

function countWithin(error: unknown, depth: number): number {
  const own = ownRetries(error);
  if (own > 0 || depth === 0) return own;
  return Math.max(0, ...parts(error).map(part => countWithin(part, depth - 1)));
}
