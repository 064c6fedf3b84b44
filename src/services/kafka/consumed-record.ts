import { read } from '../../engine/read.ts';

/** A message that was consumed, as far as it could be read. */
export interface ConsumedRecord {
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  readonly offset: bigint | undefined;
  /** Milliseconds since 1970. */
  readonly timestamp: bigint | undefined;
  readonly key: unknown;
  readonly value: unknown;
  readonly headers: unknown;
}

/**
 * Reads what a consumer hands on: the payload of kafkajs' and Confluent's `eachMessage`, whose message stands beside its
 * topic and partition, or a message of @platformatic/kafka or node-rdkafka, which has all in one.
 */
export function recordOf(payload: unknown): ConsumedRecord {
  const nested = read(payload, 'message');
  // node-rdkafka calls the value itself the message.
  const isValue = nested instanceof Uint8Array;
  const message = typeof nested === 'object' && nested !== null && !isValue ? nested : payload;
  const topic = read(payload, 'topic') ?? read(message, 'topic');
  const partition = read(payload, 'partition') ?? read(message, 'partition');
  return {
    topic: typeof topic === 'string' && topic !== '' ? topic : undefined,
    partition: typeof partition === 'number' && Number.isInteger(partition) ? partition : undefined,
    offset: bigintOf(read(message, 'offset')),
    timestamp: bigintOf(read(message, 'timestamp')),
    key: read(message, 'key'),
    value: isValue ? nested : read(message, 'value'),
    headers: read(message, 'headers') ?? undefined,
  };
}

function bigintOf(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? BigInt(value) : undefined;
}
