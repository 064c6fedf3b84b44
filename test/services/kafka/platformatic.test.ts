import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

let found: Record<string, Record<string, unknown>>;
beforeAll(async () => {
  // Node 22 warns about TypeScript.
  const args = ['--disable-warning=ExperimentalWarning', join(__dirname, 'support/platformatic.ts')];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  found = JSON.parse(stdout) as typeof found;
}, 120_000);

describe('publishEvent with @platformatic/kafka', () => {
  it('retries what Kafka calls retriable, with an attempt of its own each, and gives back what the client gives', () => {
    expect(found.recovers).toEqual({
      result: { offsets: [{ topic: 'orders', partition: expect.any(Number), offset: 0 }] },
      publishes: 3,
      written: {
        topic: 'orders',
        partition: expect.any(Number),
        key: 'k',
        value: 'v',
        headers: { 'retry-attempt': '3; max=3' },
      },
    });
  });

  it('writes its header in strings where the serializers take those', () => {
    expect(found.strings).toMatchObject({ written: { headers: { id: '7', 'retry-attempt': '1; max=3' } } });
  });

  it('publishes again after a silence, and on a new connection, so that a message may be there more than once', () => {
    expect(found.silence).toMatchObject({ publishes: 3 });
  });

  it('does not publish again after a silence when a message is to be there at most once', () => {
    expect(found.silenceAtMostOnce).toEqual({ attempts: 1, reason: 'not_retryable', publishes: 1 });
  });

  it('does not retry what will not change', () => {
    expect(found.tooLarge).toEqual({ attempts: 1, reason: 'not_retryable', publishes: 1 });
    expect(found.closed).toEqual({ attempts: 1, reason: 'not_retryable', publishes: 0 });
  });

  it('leaves it at the retries that the client has made itself, unless both are to retry', () => {
    expect(found.clientRetried).toEqual({ attempts: 1, reason: 'already_retried', publishes: 3 });
    expect(found.bothRetry).toMatchObject({ publishes: 5 });
  });

  it('knows its errors', () => {
    expect(found.classes).toEqual({
      TimeoutError: 'transient',
      NetworkError: 'transient',
      UserError: 'permanent',
      AuthenticationError: 'permanent',
      'ProtocolError LEADER_NOT_AVAILABLE': 'transient',
      'ProtocolError MESSAGE_TOO_LARGE': 'permanent',
    });
  });
});
