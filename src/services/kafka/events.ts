import { message as wrong } from '../../engine/option-checks.ts';
import { read } from '../../engine/read.ts';

/** One message for Kafka. What key, value and headers may be is up to the client; strings and Buffers always are. */
export interface KafkaMessage {
  readonly key?: unknown;
  readonly value?: unknown;
  /** A record, a `Map`, or librdkafka's list of records of one header each. */
  readonly headers?: unknown;
  /** Default: what the client's partitioner says. */
  readonly partition?: number | undefined;
  readonly timestamp?: string | number | bigint | undefined;
}

/** Messages of one topic, and whatever else the `send` of the client takes beside them (`acks`, `compression` …). */
export interface KafkaEvents {
  readonly topic: string;
  readonly messages: readonly KafkaMessage[];
  readonly [option: string]: unknown;
}

/** One message and its topic. */
export interface KafkaEvent extends KafkaMessage {
  readonly topic: string;
}

/** What a client whose `send` takes `Request` can publish: one message, or several and the options of `send`. */
export type EventFor<Request> = Request extends { messages: readonly (infer Message)[] }
  ?
      | (Omit<Message, 'topic'> & { readonly topic: string })
      | (Omit<Request, 'messages' | 'topic'> & {
          readonly topic: string;
          readonly messages: readonly Omit<Message, 'topic'>[];
        })
  : KafkaEvent | KafkaEvents;

/**
 * The same in one form: messages of a topic.
 *
 * @throws TypeError when there is no topic, or nothing to publish
 */
export function eventsOf(event: unknown): KafkaEvents {
  const topic = read(event, 'topic');
  if (typeof event !== 'object' || event === null || typeof topic !== 'string' || topic === '') {
    throw new TypeError(wrong('message.topic', topic, 'the name of a topic'));
  }
  const messages = read(event, 'messages');
  if (Array.isArray(messages)) return event as KafkaEvents;
  if (messages !== undefined) throw new TypeError(wrong('message.messages', messages, 'a list of messages'));
  if (!('value' in event)) throw new TypeError('message.value is missing; null is a tombstone');
  const { topic: _, ...message } = event as KafkaEvent;
  return { topic, messages: [message] };
}
