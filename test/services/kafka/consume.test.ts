import { CircuitBreaker, type RetrySummary, retrySummary } from '../../../src/core.ts';
import {
  DEAD_LETTER_HEADERS,
  deadLetterTo,
  type KafkaMessage,
  MESSAGE_DEFAULTS,
  type MessageOptions,
  retryMessage,
} from '../../../src/services/kafka/index.ts';
import { FakeClock, recordCalls } from '../../../src/testing/index.ts';
import { HOSTILE_VALUES } from '../../hostile/values.ts';
import { outcomeOf, settle } from '../../support/settle.ts';
import { brokerError, ProducerDouble } from './support/doubles.ts';

/** What kafkajs hands to `eachMessage`. */
interface Payload {
  readonly topic: string;
  readonly partition: number;
  readonly message: KafkaMessage & { readonly offset: string };
  heartbeat(): Promise<void>;
}

let clock: FakeClock;
let options: MessageOptions<Payload>;
/** When there was a heartbeat, in milliseconds. */
let beats: number[];
beforeEach(() => {
  clock = new FakeClock();
  options = { clock, budget: 'none' };
  beats = [];
});

function payload(more: Partial<Payload> = {}): Payload {
  return {
    topic: 'orders',
    partition: 3,
    message: {
      key: Buffer.from('k'),
      value: Buffer.from('v'),
      headers: { id: Buffer.from('7') },
      offset: '9007199254740993',
      timestamp: '1700000000000',
    },
    heartbeat: async () => {
      beats.push(clock.elapsed);
    },
    ...more,
  };
}

const failing = (error: unknown) => (): never => {
  throw error;
};

describe('retryMessage', () => {
  it('resolves with nothing when the handler has succeeded, and hands it the payload and the attempt', async () => {
    const seen: unknown[] = [];
    const given = payload();
    const handle = retryMessage((got: Payload, attempt) => seen.push(got, attempt.number), options);
    expect(await handle(given)).toBeUndefined();
    expect(seen).toEqual([given, 1]);
    expect(beats).toEqual([]);
  });

  it('retries by the policy: 3 attempts, 1 s before the first retry', async () => {
    const observer = recordCalls();
    const handle = retryMessage(failing(new Error('x')), { ...options, observer });
    const settled = await settle(clock, handle(payload()));
    expect(settled).toEqual({ error: expect.objectContaining({ message: 'x' }) });
    expect(clock.sleeps).toEqual([1000, 2000]);
    expect(observer.calls[0]?.info).toMatchObject({ operation: 'kafka_consume', maxAttempts: 3 });
    expect(MESSAGE_DEFAULTS).toMatchObject({ maxElapsed: 240_000, maxDelay: 10_000 });
  });

  it('sends heartbeats while it waits, and none while the handler runs', async () => {
    const slow = async (): Promise<never> => {
      await clock.sleep(20_000, undefined, 'ref');
      throw new Error('x');
    };
    const handle = retryMessage(slow, { ...options, initialDelay: 10_000, maxAttempts: 2, jitter: false });
    await settle(clock, handle(payload()));
    expect(beats).toEqual([20_000, 23_000, 26_000, 29_000]);
    expect(clock.pending).toBe(0);
  });

  it('sends no second heartbeat before the first has ended', async () => {
    const hanging = payload({
      heartbeat: () => {
        beats.push(clock.elapsed);
        return new Promise(() => undefined);
      },
    });
    const handle = retryMessage(failing(new Error('x')), { ...options, initialDelay: 10_000, maxAttempts: 2 });
    await settle(clock, handle(hanging));
    expect(beats).toEqual([0]);
  });

  it('ends at once with what a heartbeat has thrown: the partition may be of another by now', async () => {
    const rebalance = brokerError(27);
    const deadLetter = jest.fn();
    const handle = retryMessage(failing(new Error('x')), { ...options, initialDelay: 10_000, deadLetter });
    const lost = payload({
      heartbeat: async () => {
        if (clock.elapsed > 0) throw rebalance;
      },
    });
    expect(await settle(clock, handle(lost))).toEqual({ error: rebalance });
    expect(clock.elapsed).toBe(3000);
    expect(deadLetter).not.toHaveBeenCalled();
  });

  it.each([16, 22, 25, 27, 82])('does not retry error code %d, by which a group is rebalanced', async code => {
    const deadLetter = jest.fn();
    const error = brokerError(code);
    const handle = retryMessage(failing(error), { ...options, deadLetter, retryOn: () => true });
    expect(await settle(clock, handle(payload()))).toEqual({ error });
    expect(clock.sleeps).toEqual([]);
    expect(deadLetter).not.toHaveBeenCalled();
  });

  it('cuts off a handler that takes longer than maxElapsed, so that the partition moves on', async () => {
    const summaries: RetrySummary[] = [];
    const deadLetter = (_: Payload, __: unknown, summary: RetrySummary): unknown => summaries.push(summary);
    const handle = retryMessage(() => new Promise(() => undefined), { ...options, deadLetter });
    await settle(clock, handle(payload()));
    expect(clock.elapsed).toBe(MESSAGE_DEFAULTS.maxElapsed);
    expect(summaries).toMatchObject([{ reason: 'deadline_exceeded', attempts: 1 }]);
  });

  it('hands one message to deadLetter at the end, with its error and what was done, and resolves after that', async () => {
    const error = new Error('x');
    const letters: unknown[][] = [];
    const deadLetter = async (...letter: unknown[]): Promise<void> => {
      await clock.sleep(4000, undefined, 'ref');
      letters.push(letter);
    };
    const onStop = jest.fn();
    const given = payload();
    await settle(clock, retryMessage(failing(error), { ...options, deadLetter, onStop })(given));
    expect(letters).toEqual([
      [
        given,
        error,
        {
          attempts: 3,
          reason: 'attempts_exhausted',
          totalDelayMs: 3000,
          elapsedMs: 3000,
          errors: [error, error, error],
        },
      ],
    ]);
    // The waits of the call, and then the dead letter.
    expect(beats).toEqual([0, 1000, 3000, 6000]);
    expect(onStop).toHaveBeenCalledTimes(1);
  });

  it('rejects when there is no durable dead letter, so that the message is delivered again', async () => {
    const refused = new Error('no dead letter');
    const handle = retryMessage(failing(new Error('x')), { ...options, deadLetter: () => Promise.reject(refused) });
    expect(await settle(clock, handle(payload()))).toEqual({ error: refused });
    expect(clock.pending).toBe(0);
  });

  it('makes a dead letter at once of an error that will not change', async () => {
    const deadLetter = jest.fn();
    await settle(clock, retryMessage(failing(new TypeError('x')), { ...options, deadLetter })(payload()));
    expect(deadLetter).toHaveBeenCalledTimes(1);
    expect(clock.sleeps).toEqual([]);
  });

  it('keeps a message whose call was aborted, or met an open circuit', async () => {
    const deadLetter = jest.fn();
    const stop = new AbortController();
    const handle = retryMessage(failing(new Error('x')), { ...options, deadLetter, signal: stop.signal });
    const call = outcomeOf(handle(payload()));
    await clock.advance(500);
    stop.abort('shutdown');
    expect(await call).toEqual({ error: 'shutdown' });
    expect(await outcomeOf(handle(payload()))).toEqual({ error: 'shutdown' });
    const breaker = new CircuitBreaker({ name: 'down', clock });
    breaker.forceOpen();
    const barred = retryMessage(failing(new Error('x')), { ...options, deadLetter, breaker });
    expect(await outcomeOf(barred(payload()))).toEqual({ error: expect.objectContaining({ breaker: 'down' }) });
    expect(deadLetter).not.toHaveBeenCalled();
  });

  it('takes three attempts for every message of a backlog in an outage, and handles what is left after it', async () => {
    const letters: number[] = [];
    const handled: number[] = [];
    let attempts = 0;
    const handle = retryMessage<number>(
      number => {
        attempts++;
        if (clock.elapsed < 30_000) throw new Error('the database is away');
        handled.push(number);
      },
      { clock, jitter: false, deadLetter: number => letters.push(number) },
    );
    const backlog = async (): Promise<void> => {
      for (let number = 0; number < 500; number++) await handle(number);
    };
    await settle(clock, backlog());
    expect(letters.length).toBeLessThan(30);
    expect(handled).toHaveLength(500 - letters.length);
    expect(attempts).toBeGreaterThanOrEqual(3 * letters.length + handled.length);
  });

  it('takes no hedge, which would handle a message twice at the same time', () => {
    const hedged = { ...options, hedge: 10 } as MessageOptions;
    expect(() => retryMessage(() => 1, hedged)).toThrow(
      new TypeError('hedge is no option for a consumer: a message would be handled twice at the same time'),
    );
  });

  it('serves any number of messages at the same time, each with a summary of its own', async () => {
    const shared = new Error('the same one');
    const reasons: unknown[] = [];
    const handle = retryMessage<number>(
      number => {
        if (number === 2) throw new TypeError('x');
        throw shared;
      },
      {
        clock,
        budget: 'none',
        deadLetter: (number, error, { reason, attempts }) => reasons.push([number, error, reason, attempts]),
      },
    );
    await settle(clock, Promise.all([1, 2, 3].map(handle)));
    expect(reasons).toEqual([
      [2, expect.any(TypeError), 'not_retryable', 1],
      [1, shared, 'attempts_exhausted', 3],
      [3, shared, 'attempts_exhausted', 3],
    ]);
  });

  it('has a summary for whatever was thrown, and lets it through untouched', async () => {
    for (const [, make] of HOSTILE_VALUES) {
      const value = make();
      const letters: [unknown, RetrySummary][] = [];
      const deadLetter = (_: unknown, error: unknown, summary: RetrySummary): unknown => letters.push([error, summary]);
      await settle(clock, retryMessage(failing(value), { ...options, deadLetter, maxAttempts: 1 })(payload()));
      expect(letters).toHaveLength(1);
      expect(Object.is(letters[0]?.[0], value)).toBe(true);
      expect(
        await settle(clock, retryMessage(failing(value), { ...options, maxAttempts: 1 })(payload())),
      ).toHaveProperty('error');
    }
  });

  it.each<[string, unknown, string]>([
    ['deadLetter', 'topic', 'deadLetter is "topic"; it must be a function'],
    ['heartbeatInterval', 0, 'heartbeatInterval is 0; it must be a number of milliseconds from 1'],
    ['clock', {}, 'clock is an object; it must be a Clock'],
    ['maxAttempt', 2, 'did you mean "maxAttempts"?'],
  ])('tells at once of a mistake in %s', (name, value, text) => {
    expect(() => retryMessage(() => undefined, { [name]: value })).toThrow(text);
    expect(() => retryMessage('x' as never)).toThrow('the first argument is string');
  });
});

describe('deadLetterTo', () => {
  const summary = {
    attempts: 3,
    reason: 'attempts_exhausted',
    totalDelayMs: 3000.4,
    elapsedMs: 1,
    errors: [],
  } as const;
  const H = DEAD_LETTER_HEADERS;

  it("publishes the message as it was to the topic's dead letters, same partition, with Spring's headers and ours", async () => {
    const producer = new ProducerDouble();
    const error = Object.assign(new Error('down: password=hunter2'), { code: 'ECONNRESET' });
    const letter = deadLetterTo(producer, { operation: 'ship_order' });
    await letter(payload(), error, summary);
    expect(producer.requests).toEqual([
      {
        topic: 'orders-dlt',
        messages: [
          {
            key: Buffer.from('k'),
            value: Buffer.from('v'),
            partition: 3,
            headers: {
              id: Buffer.from('7'),
              'kafka_dlt-original-topic': Buffer.from('orders'),
              'kafka_dlt-original-partition': Buffer.from([0, 0, 0, 3]),
              // 2^53 + 1: a number could not hold it.
              'kafka_dlt-original-offset': Buffer.from('0020000000000001', 'hex'),
              'kafka_dlt-original-timestamp': Buffer.from('0000018bcfe56800', 'hex'),
              'kafka_dlt-exception-fqcn': Buffer.from('ECONNRESET'),
              'kafka_dlt-exception-message': Buffer.from('down: password=[redacted]'),
              'retry-operation': Buffer.from('ship_order'),
              'retry-attempts': Buffer.from('3'),
              'retry-stop-reason': Buffer.from('attempts_exhausted'),
              'retry-total-delay-ms': Buffer.from('3000'),
            },
          },
        ],
      },
    ]);
  });

  it('keeps the message of the error short', async () => {
    const producer = new ProducerDouble();
    await deadLetterTo(producer)(payload(), new Error('x '.repeat(1_000_000)), summary);
    const headers = producer.requests[0]?.messages[0]?.headers as Record<string, Buffer>;
    expect(headers[H.exceptionMessage]?.length).toBeLessThanOrEqual(1026);
  });

  it('takes the form of @platformatic/kafka, whose messages have all in one and headers in a Map', async () => {
    const producer = Object.assign(new ProducerDouble(), { initIdempotentProducer: () => undefined });
    const headers = new Map([[Buffer.from('id'), Buffer.from('7')]]);
    const message = {
      topic: 'orders',
      partition: 1,
      offset: 5n,
      timestamp: 6n,
      key: undefined,
      value: Buffer.from('v'),
      headers,
    };
    await deadLetterTo(producer)(message, new Error('x'), summary);
    const sent = producer.requests[0]?.messages[0] as KafkaMessage & { topic: string };
    expect(sent).toMatchObject({ topic: 'orders-dlt', partition: 1, key: null, value: Buffer.from('v') });
    const names = [...(sent.headers as Map<Buffer, Buffer>).keys()];
    expect(names.every(Buffer.isBuffer)).toBe(true);
    expect(names.map(String)).toEqual(expect.arrayContaining(['id', H.originalOffset, H.attempts]));
    expect(headers.size).toBe(1);
  });

  it('takes the form of node-rdkafka, which calls the value the message and has headers in a list', async () => {
    const producer = new ProducerDouble();
    const record = { topic: 'orders', partition: 1, offset: 5, key: 'k', message: Buffer.from('v') };
    await deadLetterTo(producer)({ ...record, headers: [{ id: '7' }] }, new Error('x'), summary);
    expect(producer.requests[0]?.messages[0]).toMatchObject({
      value: Buffer.from('v'),
      partition: 1,
      headers: { id: '7', [H.originalOffset]: Buffer.from('0000000000000005', 'hex') },
    });
  });

  it('leaves the partition to the client where the topic has none such, of which kafkajs says nothing', async () => {
    const producer = new ProducerDouble();
    const send = producer.send.bind(producer);
    producer.send = async request => (request.messages[0]?.partition === undefined ? send(request) : []);
    await deadLetterTo(producer)(payload(), new Error('x'), summary);
    expect(producer.requests.map(({ messages }) => messages[0]?.partition)).toEqual([undefined]);
  });

  it('leaves the partition to the client where librdkafka knows of none such', async () => {
    const producer = new ProducerDouble();
    producer.errors.push(Object.assign(new Error('x'), { name: 'KafkaJSError', code: -190, retriable: false }));
    await deadLetterTo(producer)(payload(), new Error('x'), summary);
    expect(producer.requests.map(({ messages }) => messages[0]?.partition)).toEqual([3, undefined]);
  });

  it('rejects when Kafka has taken nothing, and when it refuses', async () => {
    const producer = new ProducerDouble();
    producer.result = [];
    await expect(deadLetterTo(producer)(payload(), new Error('x'), summary)).rejects.toThrow('nothing was written');
    const refused = brokerError(29);
    producer.errors.push(refused);
    await expect(deadLetterTo(producer)(payload(), new Error('x'), summary)).rejects.toBe(refused);
  });

  it('retries like any publish, under a name of its own', async () => {
    const producer = new ProducerDouble();
    producer.errors.push(brokerError(5));
    const observer = recordCalls();
    const letter = deadLetterTo(producer, { publish: { clock, observer, budget: 'none' } });
    await settle(clock, Promise.resolve(letter(payload(), new Error('x'), summary)));
    expect(observer.calls.map(({ info, end }) => [info.operation, end?.attempts])).toEqual([['kafka_dead_letter', 2]]);
  });

  it('can have another suffix, topic and partition', async () => {
    const producer = new ProducerDouble();
    await deadLetterTo(producer, { topicSuffix: '.DLT', partition: 'any' })(payload(), new Error('x'), summary);
    await deadLetterTo(producer, { topic: original => `dead.${original}` })(payload(), new Error('x'), summary);
    expect(producer.requests.map(({ topic, messages }) => [topic, messages[0]?.partition])).toEqual([
      ['orders.DLT', undefined],
      ['dead.orders', 3],
    ]);
  });

  it('keeps whatever message it gets, and rejects one without a topic', async () => {
    const producer = new ProducerDouble();
    for (const [, make] of HOSTILE_VALUES) {
      await deadLetterTo(producer)(payload(), make(), summary);
      await expect(deadLetterTo(producer)(make(), new Error('x'), summary)).rejects.toThrow('needs the topic');
    }
  });

  it.each<[object, string]>([
    [{ topicSuffix: '' }, 'topicSuffix is ""; it must be a string of 1 to 200 characters'],
    [{ partition: 3 }, "partition is 3; it must be 'same' or 'any'"],
    [{ publish: { maxAttempts: 0 } }, 'maxAttempts is 0'],
    [{ suffix: '-x' }, '"suffix" is not an option'],
  ])('tells at once of a mistake: %p', (wrong, text) => {
    expect(() => deadLetterTo(new ProducerDouble(), wrong)).toThrow(text);
  });
});

it('the summary of an error that was given up is there for the client as well', async () => {
  const error = new Error('x');
  await settle(clock, retryMessage(failing(error), options)(payload()));
  expect(retrySummary(error)?.reason).toBe('attempts_exhausted');
});
