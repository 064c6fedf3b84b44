import type { AttemptContext } from '../../engine/attempt.ts';
import { retryHeaders } from '../../limits/propagation/index.ts';
import { noteClientRetries } from './client-retries.ts';
import { type EventFor, eventsOf, type KafkaEvent, type KafkaEvents } from './events.ts';
import { addHeaders } from './headers.ts';
import {
  type Delivery,
  type EventProducer,
  type HighLevelProducer,
  producerOf,
  type SendingProducer,
} from './producer.ts';
import { type PublishOptions, preparePublish } from './publish-options.ts';

/**
 * Publishes an event, and retries what is worth it: 3 attempts, 1 s before the first retry, at most 10 s, on errors that
 * Kafka calls retriable. Resolves with what the client's own `send` resolves with; rejects with its last error, untouched.
 *
 * **At least once.** After a timeout or a lost connection nobody knows whether the message was written, and the retry may
 * write it again: give events an id by which consumers recognise them, or set `unknownOutcome: 'stop'`. A batch for
 * several brokers is sent whole again when one of them failed. An idempotent producer recognises its own retries only, not
 * these: leave the retries to it then, bounded by its own options and `attemptTimeout`.
 *
 * **One layer retries.** Turn the client's own retries off by {@link NO_CLIENT_RETRIES}. A client that says that it has
 * retried is not asked again (stop reason `already_retried`), unless `nested` is `'both'`.
 *
 * @param producer a connected producer of one of the three clients, or an {@link EventProducer}
 * @param message `{ topic, key, value, headers }`, or `{ topic, messages }` with whatever else `send` takes
 * @throws TypeError or RangeError at once, when an option, the producer or the shape of the message is wrong
 *
 * @example
 * ```ts
 * await publishEvent(producer, { topic: 'orders', key: order.id, value: JSON.stringify(order) });
 * ```
 */
export function publishEvent(
  producer: HighLevelProducer,
  message: KafkaEvent | KafkaEvents,
  options?: PublishOptions,
): Promise<Delivery[]>;
export function publishEvent<Request, Result>(
  producer: SendingProducer<Request, Result>,
  message: EventFor<Request>,
  options?: PublishOptions,
): Promise<Result>;
export function publishEvent<Result>(
  producer: EventProducer<Result>,
  message: KafkaEvent | KafkaEvents,
  options?: PublishOptions,
): Promise<Result>;
export function publishEvent(producer: unknown, message: unknown, options?: PublishOptions): Promise<unknown> {
  const { policy, attemptHeader } = preparePublish(options);
  const target = producerOf(producer);
  const events = eventsOf(message);
  const publish = async (attempt: AttemptContext): Promise<unknown> => {
    try {
      return await target.publish(attemptHeader ? withAttempt(target, events, attempt) : events);
    } catch (error) {
      noteClientRetries(error);
      throw error;
    }
  };
  // Those of the call are read anew, though the same options give the same policy.
  return policy.execute(publish, { signal: options?.signal, deadline: options?.deadline });
}

function withAttempt(target: EventProducer, events: KafkaEvents, attempt: AttemptContext): KafkaEvents {
  const added = Object.fromEntries(
    Object.entries(retryHeaders(attempt)).map(([name, value]) => [name, Buffer.from(value)]),
  );
  const { kind = 'kafkajs' } = target;
  return { ...events, messages: events.messages.map(message => addHeaders(kind, message, added)) };
}
