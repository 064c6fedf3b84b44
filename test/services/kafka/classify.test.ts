import fc from 'fast-check';
import * as kafkajs from 'kafkajs';
import { AttemptTimeoutError, BulkheadFullError, NonRetryableError } from '../../../src/core.ts';
import { classifyKafkaError, clientRetries, mayBePublished } from '../../../src/services/kafka/index.ts';
import { HOSTILE_VALUES } from '../../hostile/values.ts';
import vectors from '../../vectors/kafka-errors.json' with { type: 'json' };

/** What kafkajs makes of an error code of a broker. */
const ofKafkajs = (code: number, type: string): Error =>
  Object.assign(new Error(type), { name: 'KafkaJSProtocolError', code, type, retriable: undefined });
/** What Confluent's client makes of one: it calls none of them retriable outside of transactions. */
const ofConfluent = (code: number, type = 'ERR_UNKNOWN'): Error =>
  Object.assign(new Error(type), { name: 'KafkaJSError', code, type, retriable: false, fatal: false });
/** What @platformatic/kafka throws: its classes share a name, and a code says which of them it is. */
const ofPlatformatic = (code: string, canRetry?: boolean, more: object = {}): Error =>
  Object.assign(new Error(code), { code: `PLT_KFK_${code}`, ...(canRetry === undefined ? {} : { canRetry }), ...more });
const protocol = (apiCode: number, canRetry: boolean): Error => ofPlatformatic('PROTOCOL', canRetry, { apiCode });
const multiple = (message: string, errors: Error[]): Error =>
  Object.assign(new AggregateError(errors, message), { code: 'PLT_KFK_MULTIPLE' });
class TimeoutError extends Error {
  // Its own code is that of another class, and it does not want to be retried.
  readonly code = 'PLT_KFK_NETWORK';
  readonly canRetry = false;
}
class LibrdKafkaError extends Error {
  readonly code: number;
  readonly errno: number;
  readonly origin = 'local';
  readonly isRetriable = false;
  readonly isFatal: boolean;
  constructor(code: number, isFatal = false) {
    super('librdkafka');
    this.code = code;
    this.errno = code;
    this.isFatal = isFatal;
  }
}
const system = (code: string): Error => Object.assign(new Error(code), { code });

const { protocolErrors } = vectors;

describe("Kafka's own table of error codes", () => {
  it.each(protocolErrors)('says whether $name ($code) is retriable, whichever client passes it on', error => {
    const { code, name, retriable } = error;
    const expected = code === 89 ? 'throttled' : retriable ? 'transient' : 'permanent';
    expect(classifyKafkaError(ofKafkajs(code, name))).toBe(expected);
    expect(classifyKafkaError(ofConfluent(code))).toBe(expected);
    expect(classifyKafkaError(new LibrdKafkaError(code))).toBe(expected);
    expect(classifyKafkaError(protocol(code, retriable))).toBe(expected);
  });
});

describe('errors of kafkajs', () => {
  it('that its own retries ended with are judged by what is in them', () => {
    const inner = ofKafkajs(5, 'LEADER_NOT_AVAILABLE');
    const exceeded = new kafkajs.KafkaJSNumberOfRetriesExceeded(inner, { retryCount: 0, retryTime: 300 });
    expect(exceeded.retriable).toBe(false);
    expect(classifyKafkaError(exceeded)).toBe('transient');
    const tooLarge = new kafkajs.KafkaJSNumberOfRetriesExceeded(ofKafkajs(10, 'MESSAGE_TOO_LARGE'), {
      retryCount: 0,
      retryTime: 300,
    });
    expect(classifyKafkaError(tooLarge)).toBe('permanent');
  });

  it('that two nested layers of its retries have wrapped are looked into as well', () => {
    const refused = new kafkajs.KafkaJSConnectionError('refused', { broker: 'b:1', code: 'ECONNREFUSED' });
    const nested = Object.assign(new kafkajs.KafkaJSNonRetriableError(refused), { cause: refused });
    expect(classifyKafkaError(nested)).toBe('transient');
    expect(mayBePublished(nested)).toBe(false);
  });

  it('without a code of the protocol are judged by what kafkajs says', () => {
    expect(classifyKafkaError(new kafkajs.KafkaJSError('x'))).toBe('transient');
    expect(classifyKafkaError(new kafkajs.KafkaJSNonRetriableError('x'))).toBe('permanent');
    // Its types leave out what it is made of.
    const { KafkaJSSASLAuthenticationError: Refused } = kafkajs as unknown as Record<
      string,
      new (
        text: string,
      ) => Error
    >;
    expect(Refused && classifyKafkaError(new Refused('x'))).toBe('permanent');
  });

  it('for a certificate that is refused are permanent, although kafkajs calls them retriable', () => {
    const refused = new kafkajs.KafkaJSConnectionError('x', { broker: 'b:1', code: 'CERT_HAS_EXPIRED' });
    expect(classifyKafkaError(refused)).toBe('permanent');
  });
});

describe('errors of @platformatic/kafka', () => {
  it('of several partitions are permanent when one of them is', () => {
    const both = multiple('Received response with error', [protocol(5, true), protocol(10, false)]);
    expect(classifyKafkaError(multiple('Producing messages failed.', [both]))).toBe('permanent');
    const one = multiple('Received response with error', [protocol(5, true), protocol(6, true)]);
    expect(classifyKafkaError(multiple('Producing messages failed.', [one]))).toBe('transient');
  });

  it('of several attempts are judged by the last', () => {
    const attempts = [protocol(5, true), protocol(10, false)];
    expect(classifyKafkaError(multiple('produce failed 2 times.', attempts))).toBe('permanent');
    expect(classifyKafkaError(multiple('produce failed 2 times.', attempts.toReversed()))).toBe('transient');
  });

  it('without a code of the protocol are judged by what it says, but for a timeout, which may end', () => {
    expect(classifyKafkaError(ofPlatformatic('NETWORK', true))).toBe('transient');
    expect(classifyKafkaError(ofPlatformatic('NETWORK', false))).toBe('permanent');
    expect(classifyKafkaError(ofPlatformatic('USER', false))).toBe('permanent');
    expect(classifyKafkaError(new TimeoutError('x'))).toBe('transient');
  });
});

describe('errors of librdkafka', () => {
  it.each([
    ['_TRANSPORT', -195, 'transient', true],
    ['_MSG_TIMED_OUT', -192, 'transient', true],
    ['_UNKNOWN_PARTITION', -190, 'permanent', false],
    ['_QUEUE_FULL', -184, 'transient', false],
    ['_AUTHENTICATION', -169, 'permanent', false],
    ['_FATAL', -150, 'permanent', false],
  ])('that it makes itself: %s', (name, code, expected, isOpen) => {
    for (const error of [ofConfluent(code, `ERR_${name}`), new LibrdKafkaError(code)]) {
      expect(classifyKafkaError(error)).toBe(expected);
      expect(mayBePublished(error)).toBe(isOpen);
    }
  });

  it('that are fatal are permanent', () => {
    expect(classifyKafkaError(new LibrdKafkaError(-195, true))).toBe('permanent');
  });
});

describe('other errors', () => {
  it.each<[unknown, string]>([
    [system('ECONNRESET'), 'transient'],
    [system('ENOENT'), 'permanent'],
    [new Error('a bug'), 'permanent'],
    [new TypeError('a bug'), 'permanent'],
    [Object.assign(new Error('x'), { name: 'KafkaError' }), 'transient'],
    [Object.assign(new Error('x'), { name: 'KafkaError', retryable: false }), 'permanent'],
    [Object.assign(new Error('x'), { retryable: true }), 'transient'],
    [Object.assign(new Error('x'), { name: 'AbortError' }), 'cancelled'],
    [new AttemptTimeoutError(1, 10), 'transient'],
    [new BulkheadFullError('b', 1, 1), 'transient'],
    [new NonRetryableError('x'), 'permanent'],
    // The number of another system, not of Kafka.
    [Object.assign(new Error('x'), { code: 5 }), 'permanent'],
    ['text', 'permanent'],
  ])('%p: %s', (error, expected) => {
    expect(classifyKafkaError(error)).toBe(expected);
  });

  it('never make it throw, however hostile', () => {
    for (const [, make] of HOSTILE_VALUES) {
      const value = make();
      expect(['permanent', 'transient', 'cancelled']).toContain(classifyKafkaError(value));
      expect(typeof mayBePublished(value)).toBe('boolean');
      expect(clientRetries(value)).toBe(0);
    }
    const circle: { errors: unknown[]; cause?: unknown; name: string } = {
      errors: [],
      name: 'KafkaJSNonRetriableError',
    };
    circle.errors.push(circle);
    circle.cause = circle;
    expect(classifyKafkaError(circle)).toBe('transient');
  });

  it('never make it throw, whatever they are', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), value => {
        expect(typeof classifyKafkaError(value)).toBe('string');
        expect(clientRetries(value)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('whether a message may have been written', () => {
  it.each<[unknown, boolean]>([
    [ofKafkajs(7, 'REQUEST_TIMED_OUT'), true],
    [ofKafkajs(20, 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'), true],
    [ofKafkajs(19, 'NOT_ENOUGH_REPLICAS'), false],
    [ofKafkajs(6, 'NOT_LEADER_FOR_PARTITION'), false],
    [new kafkajs.KafkaJSRequestTimeoutError('x', {} as never), true],
    [new kafkajs.KafkaJSConnectionError('x', { broker: 'b:1' }), true],
    [ofPlatformatic('NETWORK', true, { cause: system('ECONNREFUSED') }), false],
    [ofPlatformatic('NETWORK', true, { cause: system('ECONNRESET') }), true],
    [new TimeoutError('x'), true],
    [new AttemptTimeoutError(1, 10), true],
    [new Error('x'), false],
  ])('%p: %s', (error, expected) => {
    expect(mayBePublished(error)).toBe(expected);
  });
});

describe("a client's own retries", () => {
  it('are told by kafkajs', () => {
    const inner = ofKafkajs(5, 'LEADER_NOT_AVAILABLE');
    const exceeded = (retryCount: number): Error =>
      new kafkajs.KafkaJSNumberOfRetriesExceeded(inner, { retryCount, retryTime: 300 });
    expect([0, 5].map(count => clientRetries(exceeded(count)))).toEqual([0, 5]);
  });

  it('are told by @platformatic/kafka, in a list of attempts', () => {
    const attempts = [protocol(5, true), protocol(5, true)];
    const ofOne = multiple('produce failed 2 times.', attempts);
    expect(clientRetries(ofOne)).toBe(1);
    expect(clientRetries(multiple('Producing messages failed.', [ofOne]))).toBe(1);
    expect(clientRetries(multiple('Producing messages failed.', attempts))).toBe(0);
  });
});
