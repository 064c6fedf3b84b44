import type { DeadLetterLog, LogAppend, LogRecord, LogSink } from '../../../src/recovery/dead-letters/kafka/log.ts';

/** A record of a {@link MemoryKafka}. */
export interface KeptRecord extends LogAppend {
  readonly offset: bigint;
  readonly at: number;
}

/** A cluster in memory: topics of several partitions, and clients that read them in pieces and at different speeds. */
export class MemoryKafka {
  readonly topics: Map<string, KeptRecord[][]> = new Map();
  /** Offsets below are gone, as after a retention. */
  readonly lows: Map<string, bigint> = new Map();
  /** The broker's clock, where it gives the times. */
  brokerTime: (() => number) | undefined = undefined;
  /** Is asked before each append; what it throws goes to the producer. `'twice'`: a retry after a lost answer. */
  onAppend: (topic: string, record: LogAppend) => Promise<'twice' | 'lost' | undefined> | undefined = () => undefined;
  /** Readers get nothing while this is so. */
  isPaused = false;
  readonly #partitions: number;

  constructor(partitions = 3) {
    this.#partitions = partitions;
  }

  topic(name: string): KeptRecord[][] {
    const found = this.topics.get(name);
    if (found !== undefined) return found;
    const made = Array.from({ length: this.#partitions }, (): KeptRecord[] => []);
    this.topics.set(name, made);
    return made;
  }

  /** The records of a topic, partition after partition. */
  records(name: string): KeptRecord[] {
    return this.topic(name).flat();
  }

  write(topic: string, record: LogAppend): void {
    const partition = this.topic(topic)[record.partition ?? 0] as KeptRecord[];
    partition.push({ ...record, offset: BigInt(partition.length), at: this.brokerTime?.() ?? record.timestamp });
  }

  /** A client. `close` ends its readers. */
  client(): DeadLetterLog {
    let isOpen = true;
    const end = async (): Promise<void> => {
      isOpen = false;
    };
    const read = async (topic: string, from: (partition: number) => bigint, sink: LogSink): Promise<void> => {
      const next = this.topic(topic).map((_, partition) => from(partition));
      while (isOpen) {
        await pause();
        if (this.isPaused) continue;
        for (const [partition, records] of this.topic(topic).entries()) {
          const low = this.lows.get(`${topic} ${partition}`) ?? 0n;
          const at = next[partition] as bigint;
          const start = at > low ? at : low;
          const some = records.slice(Number(start), Number(start) + 1 + Math.floor(Math.random() * 5));
          if (some.length === 0 || !isOpen) continue;
          next[partition] = start + BigInt(some.length);
          sink.read(partition, some.map(recordOf), next[partition] as bigint);
        }
      }
    };
    return {
      append: async (topic, record) => {
        await pause();
        const fate = await this.onAppend(topic, record);
        if (record.partition !== undefined && this.topic(topic)[record.partition] === undefined) return 'no_partition';
        this.write(topic, record);
        if (fate === 'twice') this.write(topic, record);
        if (fate === 'lost')
          throw Object.assign(new Error('Request timed out'), { name: 'KafkaJSRequestTimeoutError' });
        return 'appended';
      },
      tail: async (topic, from, sink) => {
        read(topic, from, sink).catch(error => sink.failed(error));
        return { stop: end };
      },
      bounds: async topic => {
        await pause();
        return this.topic(topic).map((records, partition) => ({
          partition,
          low: this.lows.get(`${topic} ${partition}`) ?? 0n,
          high: BigInt(records.length),
        }));
      },
      close: end,
    };
  }
}

function recordOf({ offset, at, value, headers }: KeptRecord): LogRecord {
  return { offset, timestamp: at, value: Buffer.from(value), header: name => headers[name] };
}

function pause(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}
