import { randomUUID } from 'node:crypto';
import { checkBoolean, checkName, checkOptions, milliseconds, withFunctions } from '../../../engine/option-checks.ts';
import { type KafkaJs, type KafkaJsAdmin, type KafkaJsProducer, partitioner, recordOfKafkaJs } from './kafkajs.ts';
import type { DeadLetterLog, LogAppend, LogSink, LogTail, PartitionBounds } from './log.ts';

/** The options of {@link kafkajsLog}. */
export interface KafkaJsLogOptions {
  /**
   * Each process reads in a consumer group of its own, which commits nothing and ends with it; its name is this and a UUID. Default
   * `retryscope-dead-letters-`. 1 to 200 characters.
   */
  readonly groupIdPrefix?: string;
  /** How long the broker holds back an answer while there is nothing to read, in milliseconds. Default 500. Range 1 to 2^31-1. */
  readonly maxWaitMs?: number;
  /** Whether brokers may make topics that are missing, with whatever retention is their default. Default false. */
  readonly allowAutoTopicCreation?: boolean;
}

/**
 * The log of a `KafkaDeadLetterStore` through kafkajs. It makes a producer (`acks: -1`, which is all), a consumer and an admin
 * of its own, and connects them when they are needed first.
 *
 * The producer is not idempotent: what a retry writes twice counts once, by what stands in the record.
 *
 * @throws TypeError or RangeError, naming the option, the value and what is allowed
 *
 * @example
 * ```ts
 * const log = kafkajsLog(new Kafka({ brokers: ['kafka-1:9092'] }));
 * const store = new KafkaDeadLetterStore({ log });
 * ```
 */
export function kafkajsLog(kafka: KafkaJs, options: KafkaJsLogOptions = {}): DeadLetterLog {
  checkOptions('the options of kafkajsLog', options, CHECKS);
  withFunctions('a Kafka of kafkajs', 'producer', 'consumer', 'admin')('kafka', kafka);
  return new KafkaJsLog(kafka, options);
}

export type { KafkaJs } from './kafkajs.ts';

class KafkaJsLog implements DeadLetterLog {
  readonly #kafka: KafkaJs;
  readonly #groupIdPrefix: string;
  readonly #maxWaitMs: number;
  readonly #allowAutoTopicCreation: boolean;
  readonly #producer: Connection<KafkaJsProducer>;
  readonly #admin: Connection<KafkaJsAdmin>;

  constructor(kafka: KafkaJs, options: KafkaJsLogOptions) {
    this.#kafka = kafka;
    this.#groupIdPrefix = options.groupIdPrefix ?? 'retryscope-dead-letters-';
    this.#maxWaitMs = options.maxWaitMs ?? 500;
    this.#allowAutoTopicCreation = options.allowAutoTopicCreation ?? false;
    this.#producer = new Connection(() =>
      kafka.producer({
        createPartitioner: partitioner,
        allowAutoTopicCreation: this.#allowAutoTopicCreation,
        retry: FEW_RETRIES,
      }),
    );
    this.#admin = new Connection(() => kafka.admin({ retry: FEW_RETRIES }));
  }

  async append(topic: string, record: LogAppend): Promise<'appended' | 'no_partition'> {
    const producer = await this.#producer.get();
    const { partition, key, value, headers, timestamp } = record;
    const own = { key, value, headers: { ...headers }, timestamp: `${timestamp}` };
    const messages = [partition === undefined ? own : { ...own, partition }];
    const written = await producer.send({ topic, acks: -1, timeout: REPLICATION_MS, messages });
    // It sends nothing to a partition that is not there, and says nothing of it.
    return written.length === 0 ? 'no_partition' : 'appended';
  }

  async bounds(topic: string): Promise<readonly PartitionBounds[]> {
    const admin = await this.#admin.get();
    const offsets = await admin.fetchTopicOffsets(topic);
    return offsets.map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }));
  }

  async tail(topic: string, from: (partition: number) => bigint, sink: LogSink): Promise<LogTail> {
    const consumer = this.#kafka.consumer({
      groupId: `${this.#groupIdPrefix}${randomUUID()}`,
      maxWaitTimeInMs: this.#maxWaitMs,
      allowAutoTopicCreation: this.#allowAutoTopicCreation,
      retry: { ...FEW_RETRIES, restartOnFailure: async () => false },
    });
    consumer.on('consumer.group_join', ({ payload }) => {
      // It has committed nothing, so without this it would begin anew after each rebalance.
      for (const partition of payload.memberAssignment[topic] ?? []) {
        const offset = from(partition);
        if (offset > 0n) consumer.seek({ topic, partition, offset: `${offset}` });
      }
    });
    consumer.on('consumer.crash', ({ payload }) => {
      if (payload.restart) return;
      sink.failed(payload.error);
      consumer.disconnect().catch(() => undefined);
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch }) =>
          sink.read(batch.partition, batch.messages.map(recordOfKafkaJs), BigInt(batch.lastOffset()) + 1n),
      });
    } catch (error) {
      consumer.disconnect().catch(() => undefined);
      throw error;
    }
    return { stop: () => consumer.disconnect() };
  }

  async close(): Promise<void> {
    await Promise.all([this.#producer.close(), this.#admin.close()]);
  }
}

/** A client that is connected when it is needed first, and again when that failed. */
class Connection<Client extends { connect(): Promise<void>; disconnect(): Promise<void> }> {
  readonly #make: () => Client;
  #connected: Promise<Client> | undefined = undefined;

  constructor(make: () => Client) {
    this.#make = make;
  }

  get(): Promise<Client> {
    this.#connected ??= this.#connect();
    return this.#connected;
  }

  async close(): Promise<void> {
    const connected = this.#connected;
    this.#connected = undefined;
    const client = await connected?.catch(() => undefined);
    await client?.disconnect();
  }

  async #connect(): Promise<Client> {
    const client = this.#make();
    try {
      await client.connect();
      return client;
    } catch (error) {
      this.#connected = undefined;
      throw error;
    }
  }
}

/** Enough for a leader that has moved; whoever waits for more has given up by then. */
const FEW_RETRIES = { initialRetryTime: 100, maxRetryTime: 1000, retries: 4 };
/** How long the leader waits for its replicas. */
const REPLICATION_MS = 5000;

const CHECKS = {
  groupIdPrefix: checkName,
  maxWaitMs: milliseconds(1),
  allowAutoTopicCreation: checkBoolean,
};
