import { type KafkaJs, kafkajsLog, type LogRecord } from '../../src/recovery/dead-letters/kafka/index.ts';

/** What is asked of a client, and a way to answer. */
class FakeKafka {
  readonly sent: unknown[] = [];
  readonly configs: object[] = [];
  readonly seeks: unknown[] = [];
  readonly listeners = new Map<string, (event: never) => void>();
  connects = 0;
  disconnects = 0;
  connectError: Error | undefined = undefined;
  written: unknown[] = [{ errorCode: 0 }];
  eachBatch: ((payload: never) => Promise<void>) | undefined = undefined;

  asKafka(): KafkaJs {
    const connection = {
      connect: async () => {
        this.connects++;
        if (this.connectError !== undefined) throw this.connectError;
      },
      disconnect: async () => void this.disconnects++,
    };
    const client = {
      ...connection,
      send: async (request: unknown) => {
        this.sent.push(request);
        return this.written;
      },
      fetchTopicOffsets: async () => [{ partition: 1, offset: '9', low: '2', high: '9007199254740993' }],
      on: (name: string, listener: (event: never) => void) => void this.listeners.set(name, listener),
      seek: (place: unknown) => void this.seeks.push(place),
      subscribe: async (subscription: unknown) => void this.sent.push(subscription),
      run: async ({ eachBatch }: { eachBatch: (payload: never) => Promise<void> }) => {
        this.eachBatch = eachBatch;
      },
    };
    const make = (config: object) => {
      this.configs.push(config);
      return client;
    };
    return { producer: make, consumer: make, admin: make } as unknown as KafkaJs;
  }
}

const record = { partition: 1, key: null, value: 'v', headers: { a: Buffer.from('b') }, timestamp: 5 };
let kafka: FakeKafka;
beforeEach(() => {
  kafka = new FakeKafka();
});

it('appends with acks of all in-sync replicas, into the partition that is named', async () => {
  const log = kafkajsLog(kafka.asKafka());
  expect(await log.append('t', record)).toBe('appended');
  await log.append('t', { ...record, partition: undefined });
  const own = { key: null, value: 'v', headers: record.headers, timestamp: '5' };
  expect(kafka.sent).toEqual([
    { topic: 't', acks: -1, timeout: 5000, messages: [{ ...own, partition: 1 }] },
    { topic: 't', acks: -1, timeout: 5000, messages: [own] },
  ]);
  expect(kafka.connects).toBe(1);
  expect(kafka.configs[0]).toMatchObject({ allowAutoTopicCreation: false });
});

it('says so where nothing was sent because there is no such partition', async () => {
  kafka.written = [];
  expect(await kafkajsLog(kafka.asKafka()).append('t', record)).toBe('no_partition');
});

it('connects again after it could not', async () => {
  const log = kafkajsLog(kafka.asKafka());
  kafka.connectError = new Error('ECONNREFUSED');
  await expect(log.append('t', record)).rejects.toBe(kafka.connectError);
  kafka.connectError = undefined;
  expect(await log.append('t', record)).toBe('appended');
  await log.close();
  expect(kafka.disconnects).toBe(1);
});

it('tells the bounds of a topic exactly', async () => {
  expect(await kafkajsLog(kafka.asKafka()).bounds('t')).toEqual([{ partition: 1, low: 2n, high: 9007199254740993n }]);
});

it('sends a message without a partition to one by its key', async () => {
  await kafkajsLog(kafka.asKafka()).append('t', record);
  const [config] = kafka.configs as [{ createPartitioner: () => (args: unknown) => number }];
  const choose = config.createPartitioner();
  const partitionMetadata = [{ partitionId: 4 }, { partitionId: 7 }];
  expect(choose({ partitionMetadata, message: { partition: 9 } })).toBe(9);
  expect(choose({ partitionMetadata, message: { key: null } })).toBe(4);
  expect(choose({ partitionMetadata, message: { key: Buffer.from('b') } })).toBe(4);
  expect(choose({ partitionMetadata, message: { key: 'a' } })).toBe(7);
});

describe('a reader', () => {
  const read: [number, readonly LogRecord[], bigint][] = [];
  const failures: unknown[] = [];
  const sink = {
    read: (...args: [number, readonly LogRecord[], bigint]) => void read.push(args),
    failed: (error: unknown) => void failures.push(error),
  };
  beforeEach(() => {
    read.length = 0;
    failures.length = 0;
  });

  it('commits nothing, and hands on what it reads, with the time of the broker where that gave it', async () => {
    await kafkajsLog(kafka.asKafka(), { groupIdPrefix: 'my-' }).tail('t', () => 0n, sink);
    expect(kafka.configs[0]).toMatchObject({ groupId: expect.stringMatching(/^my-[\da-f-]{36}$/) });
    const message = {
      offset: '7',
      timestamp: '5',
      value: Buffer.from('v'),
      headers: { a: 'b', c: [Buffer.from('d')] },
    };
    const ofBroker = { ...message, offset: '8', batchContext: { timestampType: 1, maxTimestamp: '99' } };
    const batch = { partition: 3, messages: [message, ofBroker], lastOffset: () => '9' };
    await kafka.eachBatch?.({ batch } as never);
    const [[partition, records, next]] = read as [(typeof read)[0]];
    expect([partition, next]).toEqual([3, 10n]);
    expect(records.map(({ offset, timestamp }) => [offset, timestamp])).toEqual([
      [7n, 5],
      [8n, 99],
    ]);
    expect(['a', 'c', 'e', '__proto__'].map(name => records[0]?.header(name)?.toString())).toEqual([
      'b',
      'd',
      undefined,
      undefined,
    ]);
  });

  it('goes on where it was after a rebalance', async () => {
    await kafkajsLog(kafka.asKafka()).tail('t', partition => BigInt(partition), sink);
    kafka.listeners.get('consumer.group_join')?.({ payload: { memberAssignment: { t: [0, 2] } } } as never);
    kafka.listeners.get('consumer.group_join')?.({ payload: { memberAssignment: {} } } as never);
    expect(kafka.seeks).toEqual([{ topic: 't', partition: 2, offset: '2' }]);
  });

  it('says when it has given up, and lets go of what it held', async () => {
    const tail = await kafkajsLog(kafka.asKafka()).tail('t', () => 0n, sink);
    const error = new Error('gone');
    kafka.listeners.get('consumer.crash')?.({ payload: { error, restart: true } } as never);
    expect(failures).toEqual([]);
    kafka.listeners.get('consumer.crash')?.({ payload: { error, restart: false } } as never);
    expect(failures).toEqual([error]);
    await tail.stop();
    expect(kafka.disconnects).toBe(2);
  });

  it('that cannot connect leaves nothing behind', async () => {
    kafka.connectError = new Error('ECONNREFUSED');
    await expect(kafkajsLog(kafka.asKafka()).tail('t', () => 0n, sink)).rejects.toBe(kafka.connectError);
    expect(kafka.disconnects).toBe(1);
  });
});

it.each([
  [undefined, {}, /kafka is undefined/],
  [{}, {}, /Kafka of kafkajs/],
  [undefined, { maxWaitMs: 0 }, /maxWaitMs is 0/],
  [undefined, { maxWait: 1 }, /did you mean "maxWaitMs"/],
])('refuses %j %j', (client, options, expected) => {
  expect(() => kafkajsLog(client as never, options as never)).toThrow(expected);
});
