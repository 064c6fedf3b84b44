import type { Clock } from '../../../engine/clock.ts';
import type { DeadLetter } from '../letter.ts';
import type { DeadLetterLog, LogRecord, LogSink, LogTail, PartitionBounds } from './log.ts';
import { DeadLetterLogError } from './log-error.ts';
import { eventOf, type LogEvent, recordOf } from './log-event.ts';
import { Projection } from './projection.ts';

/** An event that is in the log, and what it changed there: known once it is read back. */
export interface Appended {
  /** @throws DeadLetterLogError when it is not read back in time */
  outcome(waitMs: number): Promise<readonly DeadLetter[]>;
}

/** Writes to a log, and reads it into a {@link Projection} all the while. */
export class LogView implements LogSink {
  readonly projection: Projection = new Projection();
  readonly topic: string;
  readonly #log: DeadLetterLog;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #positions = new Map<number, bigint>();
  readonly #outcomes = new Map<string, PromiseWithResolvers<readonly DeadLetter[]>>();
  readonly #waiting = new Set<Waiting>();
  #partitions: readonly number[] | undefined = undefined;
  #tail: Promise<LogTail> | undefined = undefined;
  #isLoaded = false;
  #hasNewer = false;

  constructor(log: DeadLetterLog, topic: string, clock: Clock, timeoutMs: number) {
    this.#log = log;
    this.topic = topic;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** Whether somebody has written what this version does not understand: then it must decide nothing. */
  get hasNewer(): boolean {
    return this.#hasNewer;
  }

  /** Whether the log was read to an end that it has had. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** The partitions of the log, in order. They never become more: a letter stays in its own. */
  async partitions(): Promise<readonly number[]> {
    this.#partitions ??= numbersOf(await this.#inTime(this.#log.bounds(this.topic)));
    if (this.#partitions.length === 0) throw new DeadLetterLogError('no_partition', this.topic);
    return this.#partitions;
  }

  /** Reads up to where the log ends now. */
  async sync(waitMs: number = this.#timeoutMs): Promise<void> {
    const before = new Map(this.#positions);
    const tail = this.#start();
    const bounds = await this.#inTime(this.#log.bounds(this.topic), waitMs);
    if (bounds.length === 0) throw new DeadLetterLogError('no_partition', this.topic);
    this.#partitions ??= numbersOf(bounds);
    for (const each of bounds) {
      if ((before.get(each.partition) ?? 0n) > each.high) throw new DeadLetterLogError('shorter', this.topic);
      this.projection.forgetBelow(each);
      if (this.#position(each.partition) < each.low) this.#positions.set(each.partition, each.low);
    }
    const ends = bounds.map(({ partition, high }) => this.#waitFor(partition, high));
    try {
      await this.#inTime(Promise.all([tail, ...ends.map(({ promise }) => promise)]), waitMs);
    } finally {
      for (const end of ends) this.#waiting.delete(end);
    }
    this.#isLoaded = true;
  }

  /** Appends an event. Every in-sync replica has it when this resolves. */
  async append(event: LogEvent, partition: number): Promise<Appended> {
    // One that cannot be read may be written all the same: whoever needs the outcome waits for it.
    this.#start().catch(() => undefined);
    const read = Promise.withResolvers<readonly DeadLetter[]>();
    read.promise.catch(() => undefined);
    this.#outcomes.set(event.nonce, read);
    try {
      const record = recordOf(event, partition, Math.floor(this.#clock.wallNow()));
      const result = await this.#inTime(this.#log.append(this.topic, record));
      if (result === 'no_partition') throw new DeadLetterLogError('no_partition', this.topic);
    } catch (error) {
      this.#outcomes.delete(event.nonce);
      throw error;
    }
    return {
      outcome: async waitMs => {
        try {
          return await this.#inTime(read.promise, waitMs);
        } finally {
          this.#outcomes.delete(event.nonce);
        }
      },
    };
  }

  async close(): Promise<void> {
    const tail = this.#tail;
    this.#tail = undefined;
    const stop = async (): Promise<void> => {
      await (await tail)?.stop();
    };
    // A broker that is gone must not keep the process from ending.
    const end = Promise.allSettled([stop(), this.#log.close()]);
    await this.#inTime(end, Math.min(CLOSE_MS, this.#timeoutMs)).catch(() => undefined);
    this.failed(new TypeError('The store of dead letters is closed'));
  }

  read(partition: number, records: readonly LogRecord[], next: bigint): void {
    for (const record of records) {
      if (record.offset < this.#position(partition)) continue;
      this.#apply(partition, record);
      this.#positions.set(partition, record.offset + 1n);
    }
    if (next > this.#position(partition)) this.#positions.set(partition, next);
    for (const waiting of this.#waiting) {
      if (waiting.partition !== partition || this.#position(partition) < waiting.offset) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }

  failed(error: unknown): void {
    this.#tail = undefined;
    for (const waiting of this.#waiting) waiting.reject(error);
    this.#waiting.clear();
    for (const outcome of this.#outcomes.values()) outcome.reject(error);
    this.#outcomes.clear();
  }

  #apply(partition: number, record: LogRecord): void {
    const event = eventOf(record);
    if (event === 'newer') this.#hasNewer = true;
    if (typeof event === 'string') return;
    const { offset, timestamp } = record;
    const changed = this.projection.apply(event, { partition, offset, timestamp });
    this.#outcomes.get(event.nonce)?.resolve(changed);
  }

  #position(partition: number): bigint {
    return this.#positions.get(partition) ?? 0n;
  }

  #start(): Promise<LogTail> {
    if (this.#tail !== undefined) return this.#tail;
    const tail = this.#log.tail(this.topic, partition => this.#position(partition), this);
    this.#tail = tail;
    tail.catch(() => {
      if (this.#tail === tail) this.#tail = undefined;
    });
    return tail;
  }

  #waitFor(partition: number, offset: bigint): Waiting {
    const waiting = { partition, offset, ...Promise.withResolvers<void>() };
    if (this.#position(partition) >= offset) waiting.resolve();
    else this.#waiting.add(waiting);
    return waiting;
  }

  /** What Kafka does not answer in time is given up; what comes of it later is seen in the log. */
  #inTime<T>(work: Promise<T>, waitMs: number = this.#timeoutMs): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new DeadLetterLogError('timeout', this.topic));
      const cancel = this.#clock.timer(waitMs, late, 'unref');
      work.then(resolve, reject).finally(cancel);
    });
  }
}

function numbersOf(bounds: readonly PartitionBounds[]): readonly number[] {
  return bounds.map(({ partition }) => partition).sort((a, b) => a - b);
}

const CLOSE_MS = 2000;

interface Waiting extends PromiseWithResolvers<void> {
  readonly partition: number;
  readonly offset: bigint;
}
