import { classify, classifyError, type RetryOn } from '../../src/engine/classify.ts';
import { faultCounts } from '../../src/engine/faults.ts';
import type { ErrorClass } from '../../src/engine/outcome.ts';

const named = (name: string, more: object = {}): Error => Object.assign(new Error('x'), { name, ...more });

describe('the default classification', () => {
  it.each<[string, unknown, ErrorClass]>([
    ['an error', new Error('x'), 'transient'],
    ['a string', 'down', 'transient'],
    ['undefined', undefined, 'transient'],
    ['null', null, 'transient'],
    ['a number', 5, 'transient'],
    ['a symbol', Symbol('x'), 'transient'],
    ['a function', () => 1, 'transient'],
    ['a reset connection', named('Error', { code: 'ECONNRESET' }), 'transient'],
    ['a TypeError', new TypeError('x'), 'permanent'],
    ['a ReferenceError', new ReferenceError('x'), 'permanent'],
    ['a SyntaxError', new SyntaxError('x'), 'permanent'],
    ['a RangeError', new RangeError('x'), 'permanent'],
    ['a TypeError of fetch', new TypeError('fetch failed', { cause: { code: 'ENOTFOUND' } }), 'transient'],
    ['a TypeError with another cause', new TypeError('x', { cause: new Error('y') }), 'permanent'],
    ['a RangeError with a network cause', new RangeError('x', { cause: { code: 'ENOTFOUND' } }), 'permanent'],
    ['an AbortError', new DOMException('x', 'AbortError'), 'cancelled'],
    ['a TimeoutError', new DOMException('x', 'TimeoutError'), 'transient'],
    ['an invalid argument', named('Error', { code: 'ERR_INVALID_URL' }), 'permanent'],
    ['missing permission', named('Error', { code: 'EACCES' }), 'permanent'],
    ['an expired certificate', named('Error', { code: 'CERT_HAS_EXPIRED' }), 'permanent'],
    ['a wrong password (SQLSTATE)', named('Error', { code: '28P01' }), 'permanent'],
    ['a wrong authorization (SQLSTATE)', named('Error', { code: '28000' }), 'permanent'],
    ['a code that only starts alike', named('Error', { code: 'EACCES_LATER' }), 'transient'],
    ['a numeric code', named('Error', { code: 28000 }), 'transient'],
    ['status 400', named('Error', { status: 400 }), 'permanent'],
    ['status 399', named('Error', { status: 399 }), 'transient'],
    ['status 404', named('Error', { statusCode: 404 }), 'permanent'],
    ['status 499', named('Error', { response: { status: 499 } }), 'permanent'],
    ['status 408', named('Error', { status: 408 }), 'transient'],
    ['status 425', named('Error', { status: 425 }), 'transient'],
    ['status 429', named('Error', { status: 429 }), 'throttled'],
    ['status 429 in a response', named('Error', { response: { status: 429 } }), 'throttled'],
    ['status 500', named('Error', { status: 500 }), 'transient'],
    ['status 503', named('Error', { statusCode: 503 }), 'transient'],
    ['a response that is null', named('Error', { response: null }), 'transient'],
    ['retryable: false', named('Error', { retryable: false }), 'permanent'],
    ['retryable: true', named('TypeError', { retryable: true }), 'transient'],
    ['retryable: true with 429', named('TypeError', { retryable: true, status: 429 }), 'throttled'],
  ])('%s', (_name, error, expected) => {
    expect(classifyError(error)).toBe(expected);
    expect(classify(undefined, error, 1)).toBe(classifyError(error));
  });

  it('takes what cannot be read as transient', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(classifyError(proxy)).toBe('transient');
  });
});

describe('retryOn', () => {
  class KafkaError extends Error {}
  class NoError {
    readonly reason = 'x';
  }
  class Broken extends Error {
    static override [Symbol.hasInstance](): boolean {
      throw new Error('no');
    }
  }

  it.each<[string, RetryOn, unknown, ErrorClass]>([
    ['a class', KafkaError, new KafkaError('x'), 'transient'],
    ['a class and another error', KafkaError, new Error('x'), 'permanent'],
    ['a subclass', Error, new KafkaError('x'), 'transient'],
    ['a TypeError on request', TypeError, new TypeError('x'), 'transient'],
    ['a class by name', KafkaError, { name: 'KafkaError' }, 'transient'],
    ['a class that is no error', NoError, new NoError(), 'transient'],
    ['DOMException', DOMException, new DOMException('x', 'DataError'), 'transient'],
    ['a class whose test throws', Broken, new TypeError('x'), 'permanent'],
    ['a code', 'ECONNRESET', named('Error', { code: 'ECONNRESET' }), 'transient'],
    ['another code', 'ECONNRESET', named('Error', { code: 'EPIPE' }), 'permanent'],
    ['a name', 'KafkaJSError', named('KafkaJSError'), 'transient'],
    ['a list', [KafkaError, 'EPIPE'], named('Error', { code: 'EPIPE' }), 'transient'],
    ['a list without a match', [KafkaError, 'EPIPE'], new Error('x'), 'permanent'],
    ['an empty list', [], new Error('x'), 'permanent'],
    ['a match that is throttled', [Error], named('Error', { status: 429 }), 'throttled'],
    ['a predicate', error => (error as Error).message === 'x', new Error('x'), 'transient'],
    ['a predicate that says no', () => false, new Error('x'), 'permanent'],
    ['a classifier', () => 'throttled', new Error('x'), 'throttled'],
    ['a classifier that says cancelled', () => 'cancelled', new Error('x'), 'cancelled'],
    ['a classifier that talks nonsense', () => 'later' as never, new Error('x'), 'permanent'],
    ['a match with retryable: false', [Error], named('Error', { retryable: false }), 'permanent'],
    ['a predicate and retryable: false', () => true, named('Error', { retryable: false }), 'permanent'],
    ['a predicate and undefined', () => true, undefined, 'transient'],
  ])('%s', (_name, retryOn, error, expected) => {
    expect(classify(retryOn, error, 1)).toBe(expected);
  });

  it('waits for an asynchronous classifier', async () => {
    await expect(classify(async () => true, new Error('x'), 1)).resolves.toBe('transient');
    await expect(classify(async () => 'cancelled' as const, new Error('x'), 1)).resolves.toBe('cancelled');
  });

  it('takes a classifier that throws or rejects as a no, and counts it', async () => {
    const before = faultCounts().get('predicate') ?? 0;
    const broken = (): never => {
      throw new Error('broken');
    };
    expect(classify(broken, new Error('x'), 1)).toBe('permanent');
    await expect(classify(async () => broken(), new Error('x'), 1)).resolves.toBe('permanent');
    expect(faultCounts().get('predicate')).toBe(before + 2);
  });

  it('tells the classifier of the attempt', () => {
    const retryOn = jest.fn(() => true);
    const error = new Error('x');
    classify(retryOn, error, 7);
    expect(retryOn).toHaveBeenCalledWith(error, { attempt: 7 });
  });
});
