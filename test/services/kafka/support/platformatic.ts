import * as client from '@platformatic/kafka';
import { retrySummary } from '../../../../src/core.ts';
import { classifyKafkaError, NO_CLIENT_RETRIES, publishEvent } from '../../../../src/services/kafka/index.ts';
import { startKafkaWireMock } from '../../../servers/kafka-wire-mock.ts';

// The real client is an ES module, which only a process of its own can load. It writes what became of each scenario as
// JSON: what publishEvent led to, what reached the broker, and which class the errors have.

const mock = await startKafkaWireMock();
// Answers that come have to come in time on a busy machine too.
const base = { clientId: 'test', bootstrapBrokers: mock.brokers, requestTimeout: 1000, connectTimeout: 10_000 };
const quick = { initialDelay: 1, jitter: false, budget: 'none' } as const;
const bytes = new client.Producer({ ...base, ...NO_CLIENT_RETRIES.platformatic });
const strings = new client.Producer({
  ...base,
  ...NO_CLIENT_RETRIES.platformatic,
  serializers: client.stringSerializers,
});
const retrying = new client.Producer({ ...base, retries: 2, retryDelay: 1, repeatOnStaleMetadata: false });
const closed = new client.Producer({ ...base });
await closed.close();

async function scenario(work: () => Promise<unknown>, ...next: (typeof mock)['next'][number][]): Promise<unknown> {
  const before = mock.publishes;
  mock.next.push(...next);
  try {
    const result = await work();
    const written = mock.written.at(-1);
    const headers = Object.entries(written?.headers ?? {}).map(([name, value]) => [name, value.toString()]);
    return {
      result,
      publishes: mock.publishes - before,
      written: { ...written, headers: Object.fromEntries(headers) },
    };
  } catch (error) {
    const { attempts, reason } = retrySummary(error) ?? {};
    return { attempts, reason, publishes: mock.publishes - before };
  } finally {
    mock.next.length = 0;
  }
}

const value = Buffer.from('v');
const found = {
  recovers: await scenario(
    () => publishEvent(bytes, { topic: 'orders', key: Buffer.from('k'), value }, { ...quick, attemptHeader: true }),
    { code: 5 },
    { code: 6 },
  ),
  strings: await scenario(() =>
    publishEvent(strings, { topic: 'orders', value: 'v', headers: { id: '7' } }, { ...quick, attemptHeader: true }),
  ),
  tooLarge: await scenario(() => publishEvent(bytes, { topic: 'orders', value }, quick), { code: 10 }),
  silence: await scenario(
    () => publishEvent(bytes, { topic: 'orders', messages: [{ value }], acks: -1 }, quick),
    { then: 'silence', isWritten: true },
    { then: 'hang_up', isWritten: true },
  ),
  silenceAtMostOnce: await scenario(
    () => publishEvent(bytes, { topic: 'orders', value }, { ...quick, unknownOutcome: 'stop' }),
    { then: 'silence', isWritten: true },
  ),
  clientRetried: await scenario(
    () => publishEvent(retrying, { topic: 'orders', value }, quick),
    { code: 7 },
    { code: 7 },
    { code: 7 },
  ),
  bothRetry: await scenario(
    () => publishEvent(retrying, { topic: 'orders', value }, { ...quick, nested: 'both' }),
    { code: 7 },
    { code: 7 },
    { code: 7 },
    { code: 7 },
  ),
  closed: await scenario(() => publishEvent(closed, { topic: 'orders', value }, quick)),
  classes: Object.fromEntries(
    [
      new client.TimeoutError('x'),
      new client.NetworkError('x'),
      new client.UserError('x'),
      new client.AuthenticationError('x'),
      new client.ProtocolError('LEADER_NOT_AVAILABLE'),
      new client.ProtocolError('MESSAGE_TOO_LARGE'),
    ].map(error => [`${error.constructor.name} ${error.apiId ?? ''}`.trim(), classifyKafkaError(error)]),
  ),
};
await Promise.all([bytes, strings, retrying].map(producer => producer.close()));
await mock.end();
process.stdout.write(JSON.stringify(found, (_, each: unknown) => (typeof each === 'bigint' ? Number(each) : each)));
