import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import {
  type Admin,
  type EachMessagePayload,
  Kafka,
  type KafkaConfig,
  logLevel,
  Partitioners,
  type Producer,
} from 'kafkajs';
import {
  DEAD_LETTER_HEADERS,
  deadLetterTo,
  NO_CLIENT_RETRIES,
  publishEvent,
  retryMessage,
} from '../../src/services/kafka/index.ts';
import { until } from '../redis/support/until.ts';
import { describeWithProgram } from '../support/needs-program.ts';
import { hasKafka, hasKcat, type KafkaBroker, startKafka, startKafkaMock } from './kafka-mock.ts';

const LIMIT_MS = 60_000;
const TEST_LIMIT_MS = 2 * LIMIT_MS;
jest.setTimeout(TEST_LIMIT_MS);
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Patient enough for a broker that starts or wakes on a busy machine. */
const PATIENT = { initialDelay: 100, maxDelay: 1000, maxAttempts: 100, budget: 'none' } as const;

const quiet = (brokers: string[], more: Partial<KafkaConfig> = {}): Kafka =>
  new Kafka({ brokers, logLevel: logLevel.NOTHING, ...NO_CLIENT_RETRIES.kafkajs, ...more });

async function producerOn(kafka: Kafka): Promise<Producer> {
  const createPartitioner = Partitioners.DefaultPartitioner;
  const producer = kafka.producer({ createPartitioner, ...NO_CLIENT_RETRIES.kafkajs });
  ends.push(() => producer.disconnect());
  // Nobody tries it again within the client, and its time-outs are short.
  await until(async () => {
    await producer.connect();
    return true;
  }, LIMIT_MS);
  return producer;
}

async function adminOn(kafka: Kafka): Promise<Admin> {
  const admin = kafka.admin();
  ends.push(() => admin.disconnect());
  await until(async () => {
    await admin.connect();
    return true;
  }, LIMIT_MS);
  return admin;
}

describeWithProgram(
  { name: 'kcat', debianPackage: 'kcat', isThere: hasKafka() },
  'retryscope/kafka with a broker (KAFKA_BROKERS, or kcat)',
  () => {
    let broker: KafkaBroker;
    beforeEach(async () => {
      broker = await startKafka();
      ends.push(broker.end);
    });

    /** Consumes topics until the test ends; resolves once the group has its partitions. */
    async function consume(
      topics: string[],
      eachMessage: (payload: EachMessagePayload) => Promise<void>,
    ): Promise<{ readonly groupId: string; readonly joins: number }> {
      const kafka = quiet(broker.brokers, { retry: { retries: 5 } });
      const groupId = randomUUID();
      const consumer = kafka.consumer({ groupId, sessionTimeout: 6000, heartbeatInterval: 500 });
      let joins = 0;
      consumer.on(consumer.events.GROUP_JOIN, () => {
        joins++;
      });
      await consumer.connect();
      ends.push(() => consumer.disconnect());
      await consumer.subscribe({ topics, fromBeginning: true });
      await consumer.run({ eachMessage, autoCommitThreshold: 1 });
      await until(() => joins > 0, LIMIT_MS);
      return {
        groupId,
        get joins() {
          return joins;
        },
      };
    }

    it(
      'a message that keeps failing is retried, becomes a dead letter, and lets those behind it through',
      async () => {
        const topic = `orders-${randomUUID()}`;
        const producer = await producerOn(quiet(broker.brokers));
        const partition = 0;
        for (const value of ['good', 'bad', 'flaky', 'last']) {
          const headers = { id: value };
          await publishEvent(producer, { topic, messages: [{ key: 'k', value, headers, partition }], acks: -1 });
        }
        // The topic of the dead letters has to be there for its consumer.
        await publishEvent(producer, { topic: `${topic}-dlt`, value: 'first', partition: 1 });

        const handled: string[] = [];
        const handler = async ({ message }: EachMessagePayload, { number }: { number: number }): Promise<void> => {
          const value = String(message.value);
          handled.push(`${value} ${number}`);
          if (value === 'bad' || (value === 'flaky' && number === 1)) throw new Error('password=hunter2 is wrong');
        };
        const deadLetter = deadLetterTo(producer, { operation: 'ship' });
        await consume([topic], retryMessage(handler, { initialDelay: 50, deadLetter }));
        const letters: EachMessagePayload[] = [];
        await consume([`${topic}-dlt`], async payload => void letters.push(payload));
        await until(() => handled.includes('last 1') && letters.length === 2, LIMIT_MS);

        expect(handled).toEqual(['good 1', 'bad 1', 'bad 2', 'bad 3', 'flaky 1', 'flaky 2', 'last 1']);
        const letter = letters.find(({ message }) => String(message.value) === 'bad');
        expect(letter?.partition).toBe(partition);
        expect(String(letter?.message.key)).toBe('k');
        const headers = letter?.message.headers ?? {};
        const H = DEAD_LETTER_HEADERS;
        expect(String(headers.id)).toBe('bad');
        expect(String(headers[H.originalTopic])).toBe(topic);
        expect((headers[H.originalOffset] as Buffer).readBigInt64BE()).toBe(1n);
        expect(String(headers[H.stopReason])).toBe('attempts_exhausted');
        expect(String(headers[H.attempts])).toBe('3');
        expect(String(headers[H.exceptionMessage])).toBe('password=[redacted] is wrong');
      },
      TEST_LIMIT_MS,
    );

    it(
      'a consumer that waits for longer than its session keeps its partitions',
      async () => {
        const topic = `orders-${randomUUID()}`;
        const producer = await producerOn(quiet(broker.brokers));
        await publishEvent(producer, { topic, value: 'slow', partition: 0 });
        const handled: number[] = [];
        const handler = async (_: EachMessagePayload, { number }: { number: number }): Promise<void> => {
          handled.push(number);
          if (number === 1) throw new Error('not yet');
        };
        const options = { initialDelay: 8000, jitter: false, heartbeatInterval: 500 } as const;
        const group = await consume([topic], retryMessage(handler, options));
        // Only a member that is still one can commit.
        const admin = await adminOn(quiet(broker.brokers));
        await until(async () => {
          const [committed] = await admin.fetchOffsets({ groupId: group.groupId, topics: [topic] });
          return committed?.partitions.some(({ partition, offset }) => partition === 0 && offset === '1') === true;
        }, LIMIT_MS);
        expect(handled).toEqual([1, 2]);
        expect(group.joins).toBe(1);
      },
      TEST_LIMIT_MS,
    );

    it('a partition that is not there takes a message without a word, and a dead letter goes elsewhere', async () => {
      const topic = `orders-${randomUUID()}`;
      const producer = await producerOn(quiet(broker.brokers));
      const [written] = await publishEvent(producer, { topic: `${topic}-dlt`, value: 'v' });
      expect(written?.errorCode).toBe(0);
      expect(await publishEvent(producer, { topic: `${topic}-dlt`, value: 'v', partition: 999 })).toEqual([]);
      const payload = { topic, partition: 999, message: { key: null, value: Buffer.from('v'), offset: '0' } };
      const summary = { attempts: 1, reason: 'not_retryable', totalDelayMs: 0, elapsedMs: 1, errors: [] } as const;
      await deadLetterTo(producer)(payload, new Error('x'), summary);
      const admin = await adminOn(quiet(broker.brokers));
      const offsets = await admin.fetchTopicOffsets(`${topic}-dlt`);
      expect(offsets.reduce((sum, { high }) => sum + Number(high), 0)).toBe(2);
    });
  },
);

describeWithProgram(
  { name: 'kcat', debianPackage: 'kcat', isThere: hasKcat },
  'retryscope/kafka with a broker that fails (kcat)',
  () => {
    it('an event is published although its broker is away at first', async () => {
      const first = await startKafkaMock();
      ends.push(first.end);
      let { port } = first.process;
      // Wherever the broker is now: one that is started anew has another port.
      const socketFactory: KafkaConfig['socketFactory'] = ({ onConnect }) => connect(port, '127.0.0.1', onConnect);
      const producer = await producerOn(quiet(first.brokers, { socketFactory }));
      await first.process.kill();
      const failures: unknown[] = [];
      const call = publishEvent(
        producer,
        { topic: 'orders', value: 'v' },
        {
          ...PATIENT,
          onRetry: ({ error }) => {
            failures.push(error);
            if (failures.length > 1) return;
            void startKafkaMock().then(second => {
              port = second.process.port;
              ends.unshift(second.end);
            });
          },
        },
      );
      expect(await call).toMatchObject([{ topicName: 'orders', errorCode: 0 }]);
      expect(failures.length).toBeGreaterThan(0);
    });

    it('an event is published although its broker hangs at first', async () => {
      const mock = await startKafkaMock();
      ends.push(mock.end);
      const producer = await producerOn(quiet(mock.brokers, { requestTimeout: 300 }));
      await publishEvent(producer, { topic: 'orders', value: 'before' }, PATIENT);
      await mock.process.hang();
      const names: unknown[] = [];
      const call = publishEvent(
        producer,
        { topic: 'orders', value: 'v' },
        {
          ...PATIENT,
          onRetry: ({ error }) => {
            names.push((error as Error).message);
            mock.process.goOn();
          },
        },
      );
      expect(await call).toMatchObject([{ topicName: 'orders', errorCode: 0 }]);
      expect(names[0]).toMatch(/timed out/);
    });
  },
);
