import type { LogRecord } from './log.ts';

/** What is used of the `Kafka` of kafkajs. */
export interface KafkaJs {
  producer(config: {
    createPartitioner: typeof partitioner;
    allowAutoTopicCreation: boolean;
    retry: KafkaJsRetries;
  }): KafkaJsProducer;
  consumer(config: {
    groupId: string;
    maxWaitTimeInMs: number;
    allowAutoTopicCreation: boolean;
    retry: KafkaJsRetries & { restartOnFailure(error: Error): Promise<boolean> };
  }): KafkaJsConsumer;
  admin(config: { retry: KafkaJsRetries }): KafkaJsAdmin;
}

/** What is used of its producer. */
export interface KafkaJsProducer extends Connectable {
  send(request: {
    topic: string;
    acks: number;
    timeout: number;
    messages: {
      key: string | null;
      value: string;
      headers: Record<string, Buffer>;
      timestamp: string;
      partition?: number;
    }[];
  }): Promise<readonly unknown[]>;
}

/** What is used of its admin. */
export interface KafkaJsAdmin extends Connectable {
  fetchTopicOffsets(topic: string): Promise<readonly { partition: number; low: string; high: string }[]>;
}

/** What is used of its consumer. */
export interface KafkaJsConsumer extends Connectable {
  on(
    event: 'consumer.group_join',
    listener: (event: { payload: { memberAssignment: Record<string, number[]> } }) => void,
  ): unknown;
  on(event: 'consumer.crash', listener: (event: { payload: { error: Error; restart: boolean } }) => void): unknown;
  seek(place: { topic: string; partition: number; offset: string }): void;
  subscribe(subscription: { topics: string[]; fromBeginning: boolean }): Promise<void>;
  run(config: {
    autoCommit: boolean;
    eachBatch(payload: {
      batch: { partition: number; messages: KafkaJsMessage[]; lastOffset(): string };
    }): Promise<void>;
  }): Promise<void>;
}

/** A message that it has read. */
export interface KafkaJsMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>> | undefined;
}

interface Connectable {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

interface KafkaJsRetries {
  initialRetryTime: number;
  maxRetryTime: number;
  retries: number;
}

/** The partition that a message names, or one by its key. */
export const partitioner =
  () =>
  ({
    partitionMetadata,
    message,
  }: {
    partitionMetadata: readonly { partitionId: number }[];
    message: { partition?: number; key?: Buffer | string | null };
  }): number => {
    if (message.partition !== undefined) return message.partition;
    let hash = 0;
    for (const byte of Buffer.from(message.key ?? '')) hash = (Math.imul(hash, 31) + byte) >>> 0;
    return partitionMetadata[hash % partitionMetadata.length]?.partitionId ?? 0;
  };

/** A record of the log. Where the broker gave the time, kafkajs has it in the batch alone. */
export function recordOfKafkaJs(message: KafkaJsMessage): LogRecord {
  const { batchContext } = message as { batchContext?: { timestampType?: number; maxTimestamp?: string } };
  const isOfBroker = batchContext?.timestampType === LOG_APPEND_TIME;
  return {
    offset: BigInt(message.offset),
    timestamp: Number(isOfBroker ? batchContext?.maxTimestamp : message.timestamp),
    value: message.value,
    header: name => {
      const value = Object.hasOwn(message.headers ?? {}, name) ? message.headers?.[name] : undefined;
      const first = Array.isArray(value) ? value[0] : value;
      return typeof first === 'string' ? Buffer.from(first) : first;
    },
  };
}

const LOG_APPEND_TIME = 1;
