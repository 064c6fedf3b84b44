import type { KafkaEvents, PublishOptions } from '../../../../src/services/kafka/index.ts';
import { FakeClock } from '../../../../src/testing/index.ts';

/** What a Kafka client throws for an error code of the broker. */
export function brokerError(code: number): Error {
  return Object.assign(new Error(`error code ${code}`), { name: 'KafkaJSProtocolError', code });
}

/** A producer that keeps its requests, and fails as often as it has errors. */
export class ProducerDouble {
  readonly requests: KafkaEvents[] = [];
  readonly errors: unknown[] = [];
  result: unknown = [{ topicName: 'orders', partition: 0, baseOffset: '7' }];

  async send(request: KafkaEvents): Promise<unknown> {
    this.requests.push(request);
    if (this.errors.length > 0) throw this.errors.shift();
    return this.result;
  }
}

/** A clock, and options that use it. */
export function inFakeTime(): { clock: FakeClock; options: PublishOptions } {
  const clock = new FakeClock();
  return { clock, options: { clock, budget: 'none' } };
}
