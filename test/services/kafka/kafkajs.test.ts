import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { retrySummary } from '../../../src/core.ts';
import { NO_CLIENT_RETRIES, publishEvent } from '../../../src/services/kafka/index.ts';
import { type KafkaWireMock, startKafkaWireMock } from '../../servers/kafka-wire-mock.ts';
import { outcomeOf } from '../../support/settle.ts';

/** What kafkajs waits for each answer, in milliseconds: those that come have to come in time on a busy machine too. */
const PATIENCE_MS = 1000;
const quick = { initialDelay: 1, jitter: false, budget: 'none' } as const;
const event = { topic: 'orders', key: 'k', value: 'v' };
let mock: KafkaWireMock;
let producer: Producer;

beforeEach(async () => {
  mock = await startKafkaWireMock();
});
afterEach(async () => {
  await producer.disconnect();
  await mock.end();
});

async function connect(settings: { retries: number; isIdempotent?: boolean } = { retries: 0 }): Promise<void> {
  const base = { brokers: mock.brokers, logLevel: logLevel.NOTHING, requestTimeout: PATIENCE_MS };
  const kafka = new Kafka({ ...base, ...NO_CLIENT_RETRIES.kafkajs });
  producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    retry: { retries: settings.retries, initialRetryTime: 1 },
    idempotent: settings.isIdempotent ?? false,
  });
  await producer.connect();
}

describe('publishEvent with kafkajs', () => {
  it('retries a leader that is not available and one that has moved, and gives back what kafkajs gives', async () => {
    await connect();
    mock.next.push({ code: 5 }, { code: 6 });
    const result = await publishEvent(producer, { ...event, headers: { id: '7' } }, { ...quick, attemptHeader: true });
    expect(result).toEqual([expect.objectContaining({ topicName: 'orders', errorCode: 0, baseOffset: '0' })]);
    expect(mock.publishes).toBe(3);
    expect(mock.written).toMatchObject([
      { key: 'k', value: 'v', headers: { id: Buffer.from('7'), 'retry-attempt': Buffer.from('3; max=3') } },
    ]);
  });

  it.each([10, 29])('does not retry error code %d', async code => {
    await connect();
    mock.next.push({ code });
    const settled = await outcomeOf(publishEvent(producer, event, quick));
    expect(settled).toEqual({ error: expect.objectContaining({ code }) });
    expect(mock.publishes).toBe(1);
  });

  it('makes 3 attempts and no more where the retries of kafkajs are off', async () => {
    await connect();
    mock.next.push(...Array.from({ length: 9 }, () => ({ code: 7 })));
    const settled = (await outcomeOf(publishEvent(producer, event, quick))) as { error: Error };
    expect(retrySummary(settled.error)).toMatchObject({ attempts: 3, reason: 'attempts_exhausted' });
    expect(mock.publishes).toBe(3);
  });

  it('does not multiply the retries of kafkajs where those are on', async () => {
    await connect({ retries: 2 });
    mock.next.push(...Array.from({ length: 9 }, () => ({ code: 7 })));
    const settled = (await outcomeOf(publishEvent(producer, event, quick))) as { error: Error };
    expect(retrySummary(settled.error)).toMatchObject({ attempts: 1, reason: 'already_retried' });
    expect(settled.error).toMatchObject({ name: 'KafkaJSNumberOfRetriesExceeded', retryCount: 2 });
    expect(mock.publishes).toBe(3);
  });

  it('leaves an idempotent producer, which insists on retries, to itself', async () => {
    await connect({ retries: 1, isIdempotent: true });
    mock.next.push({ code: 7 }, { code: 7 }, { code: 7 });
    const settled = (await outcomeOf(publishEvent(producer, event, quick))) as { error: Error };
    expect(retrySummary(settled.error)?.reason).toBe('already_retried');
    expect(mock.publishes).toBe(2);
  });

  it('writes a message twice when its answer was lost, and once where that is asked for', async () => {
    await connect();
    mock.next.push({ then: 'hang_up', isWritten: true });
    await publishEvent(producer, event, quick);
    expect(mock.written).toHaveLength(2);
    mock.next.push({ then: 'silence', isWritten: true });
    const settled = await outcomeOf(publishEvent(producer, event, { ...quick, unknownOutcome: 'stop' }));
    expect(settled).toHaveProperty('error');
    expect(mock.written).toHaveLength(3);
  });
});
