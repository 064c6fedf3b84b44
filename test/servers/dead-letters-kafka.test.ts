import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, type KafkaConfig, logLevel } from 'kafkajs';
import { type DeadLetter, DeadLetterQueue } from '../../src/recovery/dead-letters/index.ts';
import {
  type DeadLetterLog,
  KafkaDeadLetterStore,
  kafkajsLog,
  type LogRecord,
  type LogSink,
} from '../../src/recovery/dead-letters/kafka/index.ts';
import { DEAD_LETTER_HEADERS as H } from '../../src/services/kafka/index.ts';
import { describeStore } from '../dead-letters/contract.ts';
import { describeWhere } from '../dead-letters/support/describe-where.ts';
import { holdOne } from '../dead-letters/support/hold-one.ts';
import { letterWith } from '../dead-letters/support/letters.ts';
import { bundle, startProcess, type TestProcess } from '../dead-letters/support/processes.ts';
import { until } from '../redis/support/until.ts';
import { describeWithProgram } from '../support/needs-program.ts';
import { hasKafka, hasKcat, type KafkaBroker, startKafka, startKafkaMock } from './kafka-mock.ts';

const LIMIT_MS = 60_000;
jest.setTimeout(4 * LIMIT_MS);

const client = (brokers: string[], more: Partial<KafkaConfig> = {}): Kafka =>
  new Kafka({ brokers, logLevel: logLevel.NOTHING, ...more });
/** The mock cluster holds an answer back even when something comes in meanwhile. */
const FAST = { maxWaitMs: 10, allowAutoTopicCreation: true };

describeWithProgram(
  { name: 'kcat', debianPackage: 'kcat', isThere: hasKafka() },
  'dead letters in Kafka (KAFKA_BROKERS, or kcat)',
  () => {
    let broker: KafkaBroker;
    let shared: SharedLog;
    beforeAll(async () => {
      broker = await startKafka();
      shared = await SharedLog.open(kafkajsLog(client(broker.brokers), FAST), `store-${randomUUID()}`);
    });
    afterAll(async () => {
      await shared?.close();
      await broker?.end();
    });

    describeStore('Kafka, by kafkajs', () => ({
      open: async retention =>
        new KafkaDeadLetterStore({ log: shared.view(), topic: shared.topic, ...(retention && { retention }) }),
      advance: ms => new Promise(resolve => setTimeout(resolve, ms)),
      now: Date.now,
      tick: 300,
    }));

    it('a letter goes to the topic of its source, into the same partition, with the headers of Spring', async () => {
      const source = { topic: `orders-${randomUUID()}`, partition: 2, offset: '9007199254740993' };
      const letter = letterWith({ diedAt: Date.now(), source, operation: 'Zahlung\r\nx: y' });
      await using store = new KafkaDeadLetterStore({ log: shared.view(), topic: shared.topic });
      await store.put(letter);
      await store.put(letter);
      const elsewhere = letterWith({ diedAt: Date.now(), source: { ...source, partition: 999 } });
      await store.put(elsewhere);
      const log = kafkajsLog(client(broker.brokers), FAST);
      const copies = await readAll(log, `${source.topic}-dlt`);
      await log.close();
      const copy = copies.find(({ partition }) => partition === 2);
      expect(copies).toHaveLength(2);
      expect(copy?.text(H.originalTopic)).toBe(source.topic);
      expect(copy?.record.header(H.originalPartition)).toEqual(Buffer.from([0, 0, 0, 2]));
      expect(copy?.record.header(H.originalOffset)).toEqual(Buffer.from([0, 0x20, 0, 0, 0, 0, 0, 1]));
      expect(copy?.text(H.exceptionType)).toBe('ECONNREFUSED');
      expect(copy?.text(H.operation)).toBe('Zahlung\r\nx: y');
      expect(copies.map(({ record }) => JSON.parse(String(record.value)).id).sort()).toEqual(
        [letter.id, elsewhere.id].sort(),
      );
    });

    describe('processes that are killed', () => {
      const folder = mkdtempSync(join(tmpdir(), 'dead-letters-kafka-'));
      let running: TestProcess[] = [];
      afterEach(() => {
        // A test that failed has left some, and they would go on for ever.
        for (const one of running.splice(0)) one.kill();
      });
      afterAll(() => rmSync(folder, { recursive: true }));

      /** What any reader makes of the topic. */
      const lettersOf = async (topic: string): Promise<DeadLetter[]> => {
        const log = kafkajsLog(client(broker.brokers), FAST);
        await using store = new KafkaDeadLetterStore({ log, topic });
        const all: DeadLetter[] = [];
        for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
          const page = await store.list({}, { limit: 1000, ...(after === undefined ? {} : { after }) });
          all.push(...page.letters);
          after = page.next;
        }
        return all;
      };

      it('lose no letter that was acknowledged, redrive each one, and note each once', async () => {
        const topic = `killed-${randomUUID()}`;
        const brokers = broker.brokers.join();
        const [writer, redriver] = [bundle('kafka-writer.ts', folder), bundle('kafka-redriver.ts', folder)];
        const setUp = kafkajsLog(client(broker.brokers), FAST);
        await setUp.bounds(topic);
        await setUp.close();
        const writers = Array.from({ length: 2 }, (_, i) => startProcess(writer, [brokers, topic, `${i}`]));
        running = [...writers];
        await Promise.all(
          writers.map(async one => {
            await until(() => one.lines.length > 40 + Math.random() * 30, LIMIT_MS);
            one.kill();
            await one.ended;
          }),
        );
        const acknowledged = writers.flatMap(({ lines }) => lines.filter(line => line !== 'ready'));

        const log = kafkajsLog(client(broker.brokers), FAST);
        await using store = new KafkaDeadLetterStore({ log, topic });
        const held = await holdOne(store);
        const deliveries = join(folder, 'deliveries');
        const redrivers = Array.from({ length: 4 }, () => startProcess(redriver, [brokers, topic, deliveries]));
        running = [...redrivers];
        let interrupted = 0;
        for (const victim of redrivers.slice(0, 2)) {
          // One that comes late may find that the others have taken all of them.
          await until(async () => victim.lines.length > 3 + Math.random() * 10 || (await held.isTheLast()), LIMIT_MS);
          victim.kill();
          if ((await victim.ended) !== 0) interrupted++;
        }
        await held.letGo();
        expect(await Promise.all(redrivers.slice(2).map(({ ended }) => ended))).toEqual([0, 0]);

        const letters = await lettersOf(topic);
        const stored = new Set(letters.map(({ id }) => id));
        const noted = redrivers.flatMap(({ lines }) => lines).filter(line => line.startsWith('redriven '));
        const sent = readFileSync(deliveries, 'utf8').trimEnd().split('\n');
        process.stdout.write(
          `Kafka: ${acknowledged.length} letters acknowledged by writers that were killed, ${stored.size} stored; ` +
            `${interrupted} redrivers killed, ${sent.length} deliveries\n`,
        );
        expect(acknowledged.filter(id => !stored.has(id))).toEqual([]);
        expect(acknowledged.length).toBeGreaterThan(60);
        expect(new Set(letters.map(({ redrives, state }) => `${state.is} ${redrives}`))).toEqual(
          new Set(['redriven 1']),
        );
        expect(new Set(noted).size).toBe(noted.length);
        expect(new Set(sent)).toEqual(stored);
        expect(sent.length - stored.size).toBeLessThanOrEqual(interrupted);
        expect(interrupted).toBeGreaterThan(0);
      });
    });
  },
);

describeWithProgram(
  { name: 'kcat', debianPackage: 'kcat', isThere: hasKcat },
  'dead letters in a Kafka that fails (kcat)',
  () => {
    it('wait in memory, in time, and are stored once it is back', async () => {
      const mock = await startKafkaMock();
      const lines: string[] = [];
      const log = kafkajsLog(client(mock.brokers, { requestTimeout: 300 }), FAST);
      const store = new KafkaDeadLetterStore({ log, topic: 'store' });
      const queue = new DeadLetterQueue({
        name: 'payments',
        store,
        storeTimeoutMs: 500,
        lastResort: line => void lines.push(line),
      });
      await queue.stats();
      await mock.process.hang();
      const start = performance.now();
      expect(await queue.keep(givenUp())).toBe('not_stored');
      expect(performance.now() - start).toBeLessThan(2000);
      expect(queue.waiting).toBe(1);
      expect(lines).toHaveLength(1);
      mock.process.goOn();
      await until(async () => {
        await queue.flush();
        return queue.waiting === 0;
      }, LIMIT_MS);
      expect(await queue.stats()).toMatchObject({ dead: 1, claimed: 0 });
      await queue.close();
      await store.close();
      await mock.end();
    });

    it('are refused in time where there is no broker', async () => {
      const log = kafkajsLog(client(['127.0.0.1:1']), FAST);
      await using store = new KafkaDeadLetterStore({ log, timeoutMs: 300 });
      const start = performance.now();
      await expect(store.put(letterWith({ diedAt: Date.now() }))).rejects.toThrow();
      await expect(store.claim(1, {}, 'a', 1000)).rejects.toThrow();
      expect(performance.now() - start).toBeLessThan(3000);
      // kafkajs would go on connecting, and keep the process of the tests.
      await log.close();
    });
  },
);

describeWhere(
  'dead letters in a Kafka with limits (KAFKA_BROKERS)',
  {
    isThere: process.env.KAFKA_BROKERS !== undefined,
    missing: 'the mock cluster takes records of any size, and compacts nothing; set KAFKA_BROKERS for a real one',
  },
  ({ it: test }) => {
    test('a letter that is larger than the broker takes is refused', async () => {
      const brokers = (process.env.KAFKA_BROKERS as string).split(',');
      const log = kafkajsLog(client(brokers), FAST);
      await using store = new KafkaDeadLetterStore({ log, topic: `large-${randomUUID()}` });
      const json = JSON.stringify(['x'.repeat(5 * 2 ** 20)]);
      const payload = { kind: 'plain', json, version: 1, bytes: json.length, altered: [] } as const;
      await expect(store.put(letterWith({ diedAt: Date.now(), payload }))).rejects.toThrow(/larger|too large/i);
    });
  },
);

function givenUp(): Parameters<DeadLetterQueue['keep']>[0] {
  return {
    operation: 'charge_card',
    version: 1,
    args: [{ order: 1 }],
    error: new Error('x'),
    reason: 'attempts_exhausted',
    attempts: 1,
    history: [],
    firstFailedAt: Date.now(),
    failedAt: Date.now(),
    idempotencyKey: 'key',
    trace: undefined,
    source: undefined,
  };
}

interface ReadRecord {
  readonly partition: number;
  readonly record: LogRecord;
  text(header: string): string;
}

/** The records of a topic, as any consumer gets them. */
async function readAll(log: DeadLetterLog, topic: string): Promise<ReadRecord[]> {
  const ends = await log.bounds(topic);
  const wanted = ends.reduce((sum, { high }) => sum + Number(high), 0);
  const found: ReadRecord[] = [];
  const tail = await log.tail(topic, () => 0n, {
    read: (partition, records) =>
      void found.push(
        ...records.map(record => ({ partition, record, text: (name: string) => String(record.header(name)) })),
      ),
    failed: () => undefined,
  });
  await until(() => found.length === wanted, LIMIT_MS);
  await tail.stop();
  return found;
}

/**
 * One topic and one reader for many stores, each of which sees its own records alone: to join a group takes three seconds.
 */
class SharedLog {
  readonly topic: string;
  readonly #log: DeadLetterLog;
  readonly #sinks = new Map<string, LogSink>();
  readonly #next = new Map<number, bigint>();
  #stop: () => Promise<void> = async () => undefined;

  static async open(log: DeadLetterLog, topic: string): Promise<SharedLog> {
    const shared = new SharedLog(log, topic);
    await log.bounds(topic);
    const sink: LogSink = { read: (...args) => shared.#read(...args), failed: () => undefined };
    const tail = await log.tail(topic, () => 0n, sink);
    shared.#stop = () => tail.stop();
    return shared;
  }

  constructor(log: DeadLetterLog, topic: string) {
    this.#log = log;
    this.topic = topic;
  }

  view(): DeadLetterLog {
    const own = randomUUID();
    return {
      append: (topic, record) =>
        this.#log.append(topic, { ...record, headers: { ...record.headers, store: Buffer.from(own) } }),
      bounds: topic => this.#log.bounds(topic),
      tail: async (_topic, _from, sink) => {
        for (const [partition, next] of this.#next) sink.read(partition, [], next);
        this.#sinks.set(own, sink);
        return { stop: async () => void this.#sinks.delete(own) };
      },
      close: async () => undefined,
    };
  }

  async close(): Promise<void> {
    await this.#stop();
    await this.#log.close();
  }

  #read(partition: number, records: readonly LogRecord[], next: bigint): void {
    this.#next.set(partition, next);
    for (const [own, sink] of this.#sinks) {
      const mine = records.filter(record => String(record.header('store')) === own);
      sink.read(partition, mine, next);
    }
  }
}
