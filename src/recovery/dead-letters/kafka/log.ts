/**
 * What a `KafkaDeadLetterStore` needs of a Kafka client. `kafkajsLog` makes one of kafkajs; for another client write the four
 * methods: a producer, a reader of all partitions without committed offsets, and the offsets of a topic.
 */
export interface DeadLetterLog {
  /**
   * Appends a record once every in-sync replica has it (`acks=all`). `'no_partition'` where the topic has none of that
   * number, and nothing was written. To append a record twice, by a retry, does no harm.
   */
  append(topic: string, record: LogAppend): Promise<'appended' | 'no_partition'>;
  /**
   * Reads every partition of a topic from the offset that `from` gives, and goes on until it is stopped. Records of a
   * partition come in order; what comes again is passed over.
   */
  tail(topic: string, from: (partition: number) => bigint, sink: LogSink): Promise<LogTail>;
  /** Where each partition of a topic begins and ends at this moment. Rejects where there is no such topic. */
  bounds(topic: string): Promise<readonly PartitionBounds[]>;
  /** Lets go of the connections. */
  close(): Promise<void>;
}

/** A record to append. */
export interface LogAppend {
  /** Undefined: whichever the client's partitioner says. */
  readonly partition: number | undefined;
  readonly key: string | null;
  readonly value: string;
  readonly headers: Readonly<Record<string, Buffer>>;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

/** A record that was read. */
export interface LogRecord {
  readonly offset: bigint;
  /** Milliseconds since 1970: of the writer or, where the topic has `message.timestamp.type=LogAppendTime`, of the broker. */
  readonly timestamp: number;
  readonly value: Uint8Array | null;
  header(name: string): Uint8Array | undefined;
}

/** Who is told what is read. Its methods never throw. */
export interface LogSink {
  /** `next` is the offset behind the last one that was read, whether or not a record came of it. */
  read(partition: number, records: readonly LogRecord[], next: bigint): void;
  /** The reader has given up: nothing more will come. */
  failed(error: unknown): void;
}

/** A reader at work. */
export interface LogTail {
  stop(): Promise<void>;
}

/** Where a partition begins and ends. */
export interface PartitionBounds {
  readonly partition: number;
  /** The offset of the first record that is still there. */
  readonly low: bigint;
  /** The offset that the next record will have. */
  readonly high: bigint;
}
