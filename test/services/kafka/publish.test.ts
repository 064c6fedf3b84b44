import { AttemptTimeoutError, type RetryOptions, retry, retrySummary } from '../../../src/core.ts';
import type { BudgetState } from '../../../src/limits/budget-state.ts';
import { CountedBudget } from '../../../src/limits/counted-budget.ts';
import { limitRegistry } from '../../../src/limits/registry.ts';
import {
  type Delivery,
  PUBLISH_DEFAULTS,
  type PublishOptions,
  producerOf,
  publishEvent,
} from '../../../src/services/kafka/index.ts';
import { recordCalls } from '../../../src/testing/index.ts';
import { settle } from '../../support/settle.ts';
import { brokerError, inFakeTime, ProducerDouble } from './support/doubles.ts';

const event = { topic: 'orders', key: 'k', value: 'v' };
const reasonOf = (settled: object): unknown => ('error' in settled ? retrySummary(settled.error)?.reason : settled);

describe('publishEvent', () => {
  it('makes 3 attempts, 1 s before the first retry, and twice that before the next', async () => {
    const { clock, options } = inFakeTime();
    const producer = new ProducerDouble();
    const observer = recordCalls();
    producer.errors.push(brokerError(5), brokerError(6));
    const call = publishEvent(producer, event, { ...options, observer });
    expect(await settle(clock, call)).toEqual({ value: producer.result });
    expect(clock.sleeps).toEqual([1000, 2000]);
    expect(observer.calls.map(({ info, end }) => [info.operation, end?.attempts])).toEqual([['kafka_publish', 3]]);
    expect(PUBLISH_DEFAULTS).toMatchObject({ maxAttempts: 3, initialDelay: 1000, maxDelay: 10_000 });
  });

  it('gives back the very value, and the very error, of the client', async () => {
    const { clock, options } = inFakeTime();
    const producer = new ProducerDouble();
    const result = Object.freeze([1]);
    producer.result = result;
    expect(await publishEvent(producer, event, options)).toBe(result);
    const error = Object.freeze(brokerError(10));
    producer.errors.push(error);
    expect(await settle(clock, publishEvent(producer, event, options))).toEqual({ error });
    expect(retrySummary(error)).toMatchObject({ attempts: 1, reason: 'not_retryable' });
  });

  it('sends each attempt a request of its own, so that a client may write into it', async () => {
    const { clock, options } = inFakeTime();
    const producer = new ProducerDouble();
    producer.errors.push(brokerError(5));
    const message = Object.freeze({ value: 'v', headers: Object.freeze({ id: '1' }) });
    const events = Object.freeze({ topic: 'orders', messages: Object.freeze([message]), acks: 1 });
    await settle(clock, publishEvent(producer, events, options));
    const [first, second] = producer.requests;
    expect(first).toEqual(events);
    expect(second).toEqual(events);
    expect(first?.messages[0]).not.toBe(second?.messages[0]);
    expect(first?.messages[0]?.headers).toBe(message.headers);
  });

  it('leaves headers alone, unless it is asked to tell of the attempt', async () => {
    const { clock, options } = inFakeTime();
    const producer = new ProducerDouble();
    producer.errors.push(brokerError(5));
    const message = { ...event, headers: { traceparent: '00-1', 'retry-attempt': '9' } };
    await settle(clock, publishEvent(producer, message, { ...options, attemptHeader: true }));
    expect(producer.requests.map(({ messages }) => messages[0]?.headers)).toEqual([
      { traceparent: '00-1', 'retry-attempt': Buffer.from('1; max=3') },
      { traceparent: '00-1', 'retry-attempt': Buffer.from('2; max=3') },
    ]);
  });

  it('is not stopped by an unknown outcome, unless a message is to be there at most once', async () => {
    const { clock, options } = inFakeTime();
    const producer = new ProducerDouble();
    producer.errors.push(brokerError(7));
    await settle(clock, publishEvent(producer, event, options));
    expect(producer.requests).toHaveLength(2);
    producer.errors.push(brokerError(7));
    const atMostOnce = { ...options, unknownOutcome: 'stop' } as const;
    expect(reasonOf(await settle(clock, publishEvent(producer, event, atMostOnce)))).toBe('not_retryable');
    producer.errors.push(brokerError(6));
    expect(await settle(clock, publishEvent(producer, event, atMostOnce))).toHaveProperty('value');
  });

  it('is hedged where a message may be there twice', async () => {
    const { clock, options } = inFakeTime();
    const publish = jest.fn(() => clock.sleep(50, undefined, 'ref'));
    await settle(clock, publishEvent({ publish }, event, { ...options, hedge: 20, unknownOutcome: 'retry' }));
    expect(publish).toHaveBeenCalledTimes(2);
  });

  it('counts an attempt that took too long among the unknown outcomes', async () => {
    const { clock, options } = inFakeTime();
    const hanging = { publish: (): Promise<never> => new Promise(() => undefined) };
    const limited = { ...options, attemptTimeout: 100, unknownOutcome: 'stop' } as const;
    const settled = await settle(clock, publishEvent(hanging, event, limited));
    expect(settled).toEqual({ error: expect.any(AttemptTimeoutError) });
    expect(reasonOf(settled)).toBe('not_retryable');
  });

  it('takes what the user says of errors in place of its own table', async () => {
    const { clock, options } = inFakeTime();
    const producer = new ProducerDouble();
    producer.errors.push(brokerError(10));
    await settle(clock, publishEvent(producer, event, { ...options, retryOn: 'KafkaJSProtocolError' }));
    expect(producer.requests).toHaveLength(2);
  });

  it('reads signal and deadline at each call, although the rest is read once', async () => {
    const { clock, options } = inFakeTime();
    const producer = new ProducerDouble();
    const own: { signal?: AbortSignal } & typeof options = { ...options } as never;
    await publishEvent(producer, event, own);
    own.signal = AbortSignal.abort('over');
    expect(await settle(clock, publishEvent(producer, event, own))).toEqual({ error: 'over' });
  });
});

describe("a client's own retries", () => {
  const exceeded = (): Error =>
    Object.assign(new Error('x'), {
      name: 'KafkaJSNumberOfRetriesExceeded',
      retriable: false,
      retryCount: 5,
      cause: brokerError(5),
    });

  it('are enough: the publish is not retried above them', async () => {
    const { clock, options } = inFakeTime();
    const producer = new ProducerDouble();
    producer.errors.push(exceeded());
    expect(reasonOf(await settle(clock, publishEvent(producer, event, options)))).toBe('already_retried');
    expect(producer.requests).toHaveLength(1);
  });

  it('are not enough where both layers are to retry', async () => {
    const { clock, options } = inFakeTime();
    const producer = new ProducerDouble();
    producer.errors.push(exceeded(), exceeded());
    expect(await settle(clock, publishEvent(producer, event, { ...options, nested: 'both' }))).toHaveProperty('value');
  });

  it('are enough for a call around the publish too', async () => {
    const { clock, options } = inFakeTime();
    const producer = new ProducerDouble();
    producer.errors.push(exceeded());
    const outer: RetryOptions<never> = { clock, retryOn: () => true };
    const call = retry(() => publishEvent(producer, event, options) as Promise<never>, outer);
    expect(reasonOf(await settle(clock, call))).toBe('already_retried');
    expect(producer.requests).toHaveLength(1);
  });

  it('that were none leave the retries to us', async () => {
    const { clock, options } = inFakeTime();
    const producer = new ProducerDouble();
    producer.errors.push(Object.assign(exceeded(), { retryCount: 0 }));
    expect(await settle(clock, publishEvent(producer, event, options))).toHaveProperty('value');
  });
});

describe('the budget of publishes', () => {
  class Empty extends CountedBudget {
    readonly capacity = 0;
    override balance(): number {
      return 0;
    }
    override deposit(): void {
      // Nothing fills it.
    }
    protected override take(): undefined {
      return undefined;
    }
  }

  it('is one named kafka for all of them, made when it is first needed', async () => {
    const named = (): BudgetState[] =>
      [...limitRegistry.budgets].map(({ state }) => state).filter(({ name }) => name === 'kafka');
    const { clock } = inFakeTime();
    const producer = new ProducerDouble();
    producer.errors.push(...Array.from({ length: 12 }, () => brokerError(5)));
    const reasons: unknown[] = [];
    for (let i = 0; i < 5; i++) reasons.push(reasonOf(await settle(clock, publishEvent(producer, event, { clock }))));
    // 10 tokens are 5 calls with 2 retries each; the last has 12 - 12 errors left.
    expect(reasons.slice(0, 4)).toEqual(Array.from({ length: 4 }, () => 'attempts_exhausted'));
    expect(named()).toHaveLength(1);
    expect(named()[0]).toMatchObject({ capacity: 10 });
    producer.errors.push(...Array.from({ length: 9 }, () => brokerError(5)));
    const last: unknown[] = [];
    for (let i = 0; i < 3; i++) last.push(reasonOf(await settle(clock, publishEvent(producer, event, { clock }))));
    expect(last.at(-1)).toBe('budget_exhausted');
  });

  it('can be another, or none', async () => {
    const { clock } = inFakeTime();
    const producer = new ProducerDouble();
    producer.errors.push(brokerError(5));
    const own = { clock, budget: new Empty('own') };
    expect(reasonOf(await settle(clock, publishEvent(producer, event, own)))).toBe('budget_exhausted');
    producer.errors.push(brokerError(5), brokerError(5));
    expect(await settle(clock, publishEvent(producer, event, { clock, budget: 'none' }))).toHaveProperty('value');
  });
});

describe('mistakes', () => {
  const producer = new ProducerDouble();
  const wrong = (name: string, value: unknown): PublishOptions => ({ [name]: value }) as PublishOptions;

  it.each<[PublishOptions, string]>([
    [wrong('maxAttempts', 0), 'maxAttempts is 0; it must be an integer of 1 or more'],
    [wrong('retries', 2), 'retries is not an option; maxAttempts counts every execution'],
    [wrong('unknownOutcome', 'ignore'), "unknownOutcome is \"ignore\"; it must be 'retry' or 'stop'"],
    [wrong('attemptHeader', 1), 'attemptHeader is 1; it must be true or false'],
    [wrong('maxAtempts', 1), '"maxAtempts" is not an option; did you mean "maxAttempts"?'],
    [{ unknownOutcome: 'stop', hedge: 100 }, "hedge is no option beside unknownOutcome: 'stop'"],
    [wrong('budget', true), 'budget is true; it must be a RetryBudget'],
    [null as never, 'publish options are null; they must be an object'],
  ])('in the options are told at once: %p', (options, text) => {
    expect(() => publishEvent(producer, event, options)).toThrow(text);
  });

  it.each<[unknown, string]>([
    [undefined, 'message.topic is undefined; it must be the name of a topic'],
    [{ value: 'v' }, 'message.topic is undefined; it must be the name of a topic'],
    [{ topic: 'orders' }, 'message.value is missing; null is a tombstone'],
    [{ topic: 'orders', messages: 'v' }, 'message.messages is "v"; it must be a list of messages'],
  ])('in the message are told at once: %p', (message, text) => {
    expect(() => publishEvent(producer, message as never)).toThrow(text);
  });

  it.each<[unknown, string]>([
    [undefined, 'producer must be one of kafkajs'],
    [{}, 'producer must be one of kafkajs'],
    [{ produce: () => true }, 'a plain Producer does not say what became of a message'],
  ])('in the producer are told at once: %p', (client, text) => {
    expect(() => producerOf(client as never)).toThrow(text);
  });
});

describe('a HighLevelProducer of librdkafka', () => {
  class HighLevelProducer {
    readonly produced: unknown[][] = [];
    readonly errors: unknown[] = [];
    setValueSerializer(): void {
      // Values stay as they are.
    }
    produce(...args: unknown[]): boolean {
      this.produced.push(args.slice(0, -1));
      const callback = args.at(-1) as (error: unknown, offset?: number, partition?: number) => void;
      const error = this.errors.shift();
      setImmediate(() => (error === undefined ? callback(null, 41, 2) : callback(error)));
      return true;
    }
  }
  const transport = { code: -195, errno: -195, origin: 'local', message: 'broker transport failure' };

  it('is retried by its own error codes, and says where each message went', async () => {
    const producer = new HighLevelProducer();
    producer.errors.push(transport);
    const message = { ...event, headers: { id: '1' }, timestamp: '1700000000000' };
    const deliveries: Delivery[] = await publishEvent(producer, message, { initialDelay: 0, budget: 'none' });
    expect(deliveries).toEqual([{ topic: 'orders', partition: 2, offset: 41 }]);
    const args = ['orders', null, Buffer.from('v'), 'k', 1_700_000_000_000, [{ id: '1' }]];
    expect(producer.produced).toEqual([args, args]);
  });

  it('gets its headers as a list', async () => {
    const producer = new HighLevelProducer();
    const headers = [{ id: '1' }, { id: '2' }, { 'retry-attempt': '9' }];
    await publishEvent(producer, { ...event, headers }, { budget: 'none', attemptHeader: true });
    expect(producer.produced[0]?.at(-1)).toEqual([
      { id: '1' },
      { id: '2' },
      { 'retry-attempt': Buffer.from('1; max=3') },
    ]);
  });

  it('that refuses a message at once is retried as well', async () => {
    const producer = new HighLevelProducer();
    const full = Object.assign(new Error('Local: Queue full'), { code: -184, errno: -184, origin: 'local' });
    const produce = producer.produce.bind(producer);
    jest
      .spyOn(producer, 'produce')
      .mockImplementationOnce(() => {
        throw full;
      })
      .mockImplementation(produce);
    expect(await publishEvent(producer, event, { initialDelay: 0, budget: 'none' })).toHaveLength(1);
  });
});
