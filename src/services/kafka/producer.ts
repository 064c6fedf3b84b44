import { read } from '../../engine/read.ts';
import type { KafkaEvents, KafkaMessage } from './events.ts';
import { type ClientKind, headersFor } from './headers.ts';

/**
 * What events are published through: one interface for all clients. `publishEvent` makes it of a client itself; an object
 * of your own may stand in for one.
 */
export interface EventProducer<Result = unknown> {
  /** Which client's headers it takes. Default `kafkajs`: a record. */
  readonly kind?: ClientKind;
  /** Publishes messages of one topic, once. Rejects with the client's own error. */
  publish(events: KafkaEvents): PromiseLike<Result>;
}

/** The producer of kafkajs, of @confluentinc/kafka-javascript in its promisified form, or of @platformatic/kafka. */
export interface SendingProducer<Request, Result> {
  send(request: Request): PromiseLike<Result>;
}

/** The `HighLevelProducer` of @confluentinc/kafka-javascript and node-rdkafka, whose callback tells of the delivery. */
export interface HighLevelProducer {
  produce(
    topic: string,
    partition: number | null,
    message: never,
    key: never,
    timestamp: number | null,
    headers: never,
    callback: (error: unknown, offset?: number | null, partition?: number) => void,
  ): unknown;
  // It tells this producer from the plain one, which says nothing of a delivery.
  setValueSerializer(serializer: never): unknown;
}

/** Where one message went, as a {@link HighLevelProducer} says. */
export interface Delivery {
  readonly topic: string;
  readonly partition: number | undefined;
  /** Null where the broker was not asked to confirm. */
  readonly offset: number | null | undefined;
}

/**
 * The one interface, made of a client that is recognised by its shape. Messages are never changed: each attempt sends a
 * request of its own.
 *
 * @throws TypeError when it is none of the clients that are known
 */
export function producerOf<Request, Result>(client: SendingProducer<Request, Result>): EventProducer<Result>;
export function producerOf(client: HighLevelProducer): EventProducer<Delivery[]>;
export function producerOf<Result>(client: EventProducer<Result>): EventProducer<Result>;
export function producerOf(client: unknown): EventProducer;
export function producerOf(client: unknown): EventProducer {
  const known = isObject(client) ? producers.get(client) : undefined;
  if (known !== undefined) return known;
  const producer = recognise(client);
  producers.set(client as object, producer);
  return producer;
}

const producers = new WeakMap<object, EventProducer>();

function recognise(client: unknown): EventProducer {
  if (has(client, 'publish')) return client as EventProducer;
  if (has(client, 'send')) {
    const sending = client as SendingProducer<unknown, unknown>;
    return has(client, 'initIdempotentProducer') ? platformatic(sending) : kafkajs(sending);
  }
  if (has(client, 'produce') && has(client, 'setValueSerializer')) return librdkafka(client as ProducingClient);
  const hint = has(client, 'produce') ? ': a plain Producer does not say what became of a message' : '';
  throw new TypeError(
    'producer must be one of kafkajs, of @platformatic/kafka, of @confluentinc/kafka-javascript (KafkaJS, or a ' +
      `HighLevelProducer), or an object with a function "publish"${hint}`,
  );
}

function kafkajs(client: SendingProducer<unknown, unknown>): EventProducer {
  return {
    kind: 'kafkajs',
    publish: async ({ messages, ...rest }) =>
      client.send({ ...rest, messages: messages.map(message => withHeaders('kafkajs', message)) }),
  };
}

function platformatic(client: SendingProducer<unknown, unknown>): EventProducer {
  return {
    kind: 'platformatic',
    publish: async ({ topic, messages, ...rest }) => {
      try {
        // Its options stand beside messages that name their topic each.
        const own = messages.map(message => ({ ...withHeaders('platformatic', message), topic }));
        return await client.send({ ...rest, messages: own });
      } catch (error) {
        forgetMetadata(client);
        throw error;
      }
    },
  };
}

/** Without retries of its own the client asks for no new metadata: it would go on to ask a leader that is gone. */
function forgetMetadata(client: object): void {
  try {
    if (has(client, 'clearMetadata')) (client as { clearMetadata(): unknown }).clearMetadata();
  } catch {
    // What the publish threw says more.
  }
}

function librdkafka(client: ProducingClient): EventProducer {
  return {
    kind: 'librdkafka',
    publish: async ({ topic, messages }) =>
      Promise.all(messages.map(message => deliver(client, topic, withHeaders('librdkafka', message)))),
  };
}

interface ProducingClient {
  produce(...args: unknown[]): unknown;
}

function deliver(client: ProducingClient, topic: string, message: KafkaMessage): Promise<Delivery> {
  const { key = null, value, headers, partition = null, timestamp } = message;
  return new Promise((resolve, reject) => {
    const onDelivery = (error: unknown, offset?: number | null, wentTo = partition ?? undefined): void => {
      if (error === null || error === undefined) resolve({ topic, partition: wentTo, offset });
      else reject(error);
    };
    // It takes bytes alone.
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    const time = timestamp === undefined ? null : Number(timestamp);
    client.produce(topic, partition, bytes, key, time, headers ?? [], onDelivery);
  });
}

/** A copy of its own for each attempt: clients write into what they are given. */
function withHeaders(kind: ClientKind, message: KafkaMessage): KafkaMessage {
  const headers = headersFor(kind, message.headers);
  return headers === undefined ? { ...message } : { ...message, headers };
}

function has(client: unknown, method: string): boolean {
  return typeof read(client, method) === 'function';
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
