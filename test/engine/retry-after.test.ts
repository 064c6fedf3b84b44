import fc from 'fast-check';
import { faultCounts } from '../../src/engine/faults.ts';
import { readHint, readRetryAfter } from '../../src/engine/retry-after.ts';
import { FakeClock } from '../../src/testing/index.ts';
import vectors from '../vectors/retry-after.json' with { type: 'json' };
import { startCpuTimer } from './support/cpu-timer.ts';

// The fake epoch is 2024-01-01T00:00:00Z, a Monday.
const clock = new FakeClock();
const withHeader = (value: unknown, name = 'retry-after'): unknown => ({ headers: { [name]: value } });
const hint = (failure: unknown): unknown => readRetryAfter(failure, clock);
/** JSON knows neither of these. */
const fromJson = (expected: number | string | null): number | undefined =>
  expected === null ? undefined : Number(expected);

describe('Retry-After', () => {
  it.each(vectors.retryAfter)('$name', ({ value, expected }) => {
    expect(hint(withHeader(value))).toBe(fromJson(expected));
  });
});

describe.each(['retry-after-ms', 'x-ms-retry-after-ms', 'x-amz-retry-after'])('%s', name => {
  it.each(vectors.milliseconds)('$name', ({ value, expected }) => {
    expect(hint(withHeader(value, name))).toBe(fromJson(expected));
  });

  it('counts before Retry-After, unless it is garbage', () => {
    expect(hint({ headers: { 'retry-after': '3', [name]: '250' } })).toBe(250);
    expect(hint({ headers: { 'retry-after': '3', [name]: 'x' } })).toBe(3000);
  });
});

describe.each(['RateLimit-Reset', 'X-RateLimit-Reset'])('%s', name => {
  it.each(vectors.reset)('$name', ({ value, expected }) => {
    expect(hint({ status: 429, headers: { [name]: value } })).toBe(fromJson(expected));
  });

  it.each<[string, object, number | undefined]>([
    ['status 429', { status: 429 }, 30_000],
    ['status 503', { statusCode: 503 }, 30_000],
    ['status 429 of the response', { response: { status: 429 } }, 30_000],
    ['status 503 of got', { response: { statusCode: 503 } }, 30_000],
    ['status 503 of the AWS SDK', { $metadata: { httpStatusCode: 503 } }, 30_000],
    ['status 500', { status: 500 }, undefined],
    ['no status', {}, undefined],
    ['a status that is no number', { status: '429', $metadata: { httpStatusCode: '429' } }, undefined],
  ])('after %s', (_name, failure, expected) => {
    expect(hint({ headers: { [name]: '30' }, ...failure })).toBe(expected);
  });

  it.each(['RateLimit-Remaining', 'x-ratelimit-remaining'])('with nothing left by %s', remaining => {
    expect(hint({ status: 500, headers: { [name]: '30', [remaining]: '0' } })).toBe(30_000);
    expect(hint({ status: 500, headers: { [name]: '30', [remaining]: '1' } })).toBeUndefined();
  });

  it('counts after Retry-After', () => {
    expect(hint({ status: 429, headers: { [name]: '30', 'retry-after': '3' } })).toBe(3000);
  });
});

describe('RateLimit', () => {
  it.each(vectors.rateLimit)('$name', ({ value, expected }) => {
    expect(hint({ headers: { RateLimit: value } })).toBe(fromJson(expected));
  });
});

describe('the pushback of gRPC', () => {
  it.each(vectors.pushback)('$name', ({ value, expected }) => {
    const metadata = { get: (name: string): unknown => (name === 'grpc-retry-pushback-ms' ? value : []) };
    expect(hint({ code: 14, metadata })).toBe(fromJson(expected));
  });

  it('counts before everything else', () => {
    const headers = { 'grpc-retry-pushback-ms': '5', 'retry-after': '3', 'x-should-retry': 'false' };
    expect(hint({ headers })).toBe(5);
  });
});

describe('x-should-retry', () => {
  it.each<[unknown, number | undefined]>([
    ['false', Infinity],
    ['true', 3000],
    ['FALSE', 3000],
    ['', 3000],
    [['true', 'false'], Infinity],
  ])('%p', (value, expected) => {
    expect(hint({ headers: { 'retry-after': '3', 'X-Should-Retry': value } })).toBe(expected);
  });
});

describe('a hint', () => {
  const raw = ['Content-Type', 'text/plain', 'Retry-After', '3', 'Retry-After', '9'];
  it.each<[string, unknown, number | undefined]>([
    ['any case of the name', withHeader('3', 'Retry-After'), 3000],
    ['several cases of the name', { headers: { 'Retry-After': '3', 'retry-after': '9' } }, 9000],
    ['a Headers object', { headers: new Headers({ 'retry-after': '3' }) }, 3000],
    ['a Map', { headers: new Map([['retry-after', '3']]) }, 3000],
    ['a record without a prototype', { headers: Object.assign(Object.create(null), { 'retry-after': '3' }) }, 3000],
    ['a flat list of strings', { headers: raw }, 9000],
    ['a flat list of Buffers', { headers: raw.map(part => Buffer.from(part)) }, 9000],
    ['a flat list, not taking a value for a name', { headers: ['x-echo', 'retry-after', '3', '4'] }, undefined],
    ['the headers of the response', { response: { headers: { 'retry-after': '3' } } }, 3000],
    ['the response of the AWS SDK', { $response: { headers: { 'retry-after': '3' } } }, 3000],
    ['metadata that is a Headers object', { metadata: new Headers({ 'retry-after': '3' }) }, 3000],
    ['own headers first', { headers: { 'retry-after': '2' }, response: { headers: { 'retry-after': '3' } } }, 2000],
    ['the response when the own are garbage', { headers: {}, response: { headers: { 'retry-after': '3' } } }, 3000],
    ['a result itself', new Response('', { headers: { 'retry-after': '3' } }), 3000],
    ['the error’s own number', { retryAfterMs: 40, headers: { 'retry-after': '3' } }, 40],
    ['an own Infinity', { retryAfterMs: Infinity }, Infinity],
    ['not a negative one', { retryAfterMs: -1, headers: { 'retry-after': '3' } }, 3000],
    ['not NaN', { retryAfterMs: Number.NaN }, undefined],
    ['not a string', { retryAfterMs: '40' }, undefined],
    ['no headers', new Error('x'), undefined],
    ['null headers', { headers: null }, undefined],
    ['headers that are no object', { headers: 'x' }, undefined],
    ['a null response', { headers: {}, response: null, $response: null, metadata: null }, undefined],
    ['what a record inherits', { headers: Object.create({ 'retry-after': '3' }) }, undefined],
    ['a header called "get"', { headers: { get: 'x', 'retry-after': '3' } }, 3000],
    ['a string', 'retry-after: 5', undefined],
    ['null', null, undefined],
    ['undefined', undefined, undefined],
  ])('is read from %s', (_name, failure, expected) => {
    expect(hint(failure)).toBe(expected);
  });

  const refuse = (): never => {
    throw new Error('no');
  };
  const revoked = (target: object): object => {
    const { proxy, revoke } = Proxy.revocable(target, {});
    revoke();
    return proxy;
  };
  it.each<[string, unknown]>([
    ['a getter that throws', Object.defineProperty({}, 'headers', { get: refuse })],
    ['an own number that throws', Object.defineProperty({}, 'retryAfterMs', { get: refuse })],
    ['a response that throws', Object.defineProperty({}, 'response', { get: refuse })],
    ['a get that throws', { headers: { get: refuse } }],
    ['a value that throws', { headers: Object.defineProperty({}, 'retry-after', { get: refuse, enumerable: true }) }],
    ['a value that cannot be a string', withHeader(Object.create(null))],
    ['a revoked Proxy', revoked({})],
    ['headers that are a revoked Proxy', { headers: revoked({}) }],
    ['a list that is a revoked Proxy', { headers: revoked([]) }],
    ['a list of nothing', { headers: [null, null] }],
  ])('survives %s', (_name, failure) => {
    expect(hint(failure)).toBeUndefined();
  });

  it('is absent or a wait, for any headers at all', () => {
    const name = fc.constantFrom(
      'retry-after',
      'Retry-After-Ms',
      'x-amz-retry-after',
      'ratelimit',
      'X-RateLimit-Reset',
      'grpc-retry-pushback-ms',
      'x-should-retry',
    );
    const value = fc.oneof(fc.string(), fc.array(fc.string()), fc.integer().map(String), fc.anything());
    fc.assert(
      fc.property(fc.dictionary(name, value), fc.anything(), (headers, status) => {
        const wait = readRetryAfter({ headers, status }, clock);
        expect(wait === undefined || wait >= 0).toBe(true);
      }),
    );
  });

  it('takes a time for a long value that does not grow faster than the value', () => {
    const long = [', '.repeat(50_000), ';'.repeat(100_000), `;${' '.repeat(100_000)}r`, `${' '.repeat(100_000)}x`];
    for (const value of long) {
      for (const name of ['retry-after', 'ratelimit', 'x-ratelimit-reset', 'grpc-retry-pushback-ms']) {
        const taken = startCpuTimer();
        hint({ status: 429, headers: { [name]: value } });
        expect(taken()).toBeLessThan(1000);
      }
    }
  });
});

describe('the policy’s own hint', () => {
  it('can be switched off', () => {
    expect(readHint({ retryAfter: false, clock }, withHeader('5'))).toBeUndefined();
    expect(readHint({ retryAfter: true, clock }, withHeader('5'))).toBe(5000);
  });

  it('may be a function', () => {
    const retryAfter = (failure: unknown): number => (failure as { wait: number }).wait;
    expect(readHint({ retryAfter, clock }, { wait: 7 })).toBe(7);
    expect(readHint({ retryAfter, clock }, { wait: 0 })).toBe(0);
    expect(readHint({ retryAfter, clock }, { wait: -7 })).toBeUndefined();
    expect(readHint({ retryAfter, clock }, { wait: 'x' })).toBeUndefined();
  });

  it('counts a function that throws', () => {
    const before = faultCounts().get('hook') ?? 0;
    const retryAfter = (): never => {
      throw new Error('no');
    };
    expect(readHint({ retryAfter, clock }, {})).toBeUndefined();
    expect(faultCounts().get('hook')).toBe(before + 1);
  });
});
