import * as fc from 'fast-check';
import { retry } from '../../src/core.ts';
import { readRetryAttempt, refuseRetries, retryBaggage, retryHeaders } from '../../src/limits/propagation/index.ts';
import { FakeClock } from '../../src/testing/index.ts';

describe('retryHeaders', () => {
  it('tells the attempt, and the maximum where there is one', () => {
    expect(retryHeaders({ number: 2, maxAttempts: 4 })).toEqual({ 'retry-attempt': '2; max=4' });
    expect(retryHeaders({ number: 2, maxAttempts: Infinity })).toEqual({ 'retry-attempt': '2' });
    expect(retryHeaders({ number: 2, maxAttempts: 5000 })).toEqual({ 'retry-attempt': '2' });
  });

  it('tells it in the words of others', () => {
    const forms = ['grpc', 'envoy', 'aws'] as const;
    expect(retryHeaders({ number: 1, maxAttempts: 3 }, { forms })).toEqual({
      'retry-attempt': '1; max=3',
      'x-envoy-attempt-count': '1',
      'amz-sdk-request': 'attempt=1; max=3',
    });
    expect(retryHeaders({ number: 3, maxAttempts: 3 }, { forms, invocationId: 'a-1' })).toEqual({
      'retry-attempt': '3; max=3',
      'grpc-previous-rpc-attempts': '2',
      'x-envoy-attempt-count': '3',
      'amz-sdk-request': 'attempt=3; max=3',
      'amz-sdk-invocation-id': 'a-1',
    });
  });

  it('says 1000 from the thousandth attempt on, and fails no call', async () => {
    const forms = ['grpc', 'envoy', 'aws'] as const;
    const seen: unknown[] = [];
    const clock = new FakeClock();
    const attempts = retry(
      attempt => {
        const headers = retryHeaders(attempt, { forms });
        retryBaggage(attempt);
        if (attempt.number < 1002) throw new Error('down');
        seen.push(headers);
      },
      { maxAttempts: 2000, initialDelay: 0, jitter: false, clock },
    );
    await clock.runAll(2000);
    await attempts;
    expect(seen).toEqual([
      {
        'retry-attempt': '1000',
        'grpc-previous-rpc-attempts': '999',
        'x-envoy-attempt-count': '1000',
        'amz-sdk-request': 'attempt=1000',
      },
    ]);
  });

  it.each<[string, () => unknown, string]>([
    [
      'no attempt',
      () => retryHeaders({ number: 0, maxAttempts: 3 }),
      'attempt.number is 0; it must be an integer from 1',
    ],
    ['a form', () => retryHeaders({ number: 1, maxAttempts: 3 }, { forms: ['http' as never] }), 'forms is "http"'],
    [
      'what would be a header of its own',
      () => retryHeaders({ number: 1, maxAttempts: 3 }, { invocationId: 'a\r\nx: y' }),
      'it must be letters, digits and hyphens',
    ],
    ['no attempt in baggage', () => retryBaggage({ number: 1.5, maxAttempts: 3 }), 'attempt.number is 1.5'],
  ])('refuses %s', (_what, make, message) => {
    expect(make).toThrow(message);
  });
});

describe('retryBaggage', () => {
  it('adds to what is there, and replaces what it wrote before', () => {
    expect(retryBaggage({ number: 1, maxAttempts: Infinity })).toBe('retry-attempt=1');
    const once = retryBaggage({ number: 2, maxAttempts: 4 }, 'tenant=a;p=1, user=b');
    expect(once).toBe('tenant=a;p=1,user=b,retry-attempt=2;max=4');
    expect(retryBaggage({ number: 3, maxAttempts: 4 }, once)).toBe('tenant=a;p=1,user=b,retry-attempt=3;max=4');
  });

  it('keeps the limits of the specification', () => {
    const members = (count: number): string => Array.from({ length: count }, (_, i) => `k${i}=v`).join(',');
    expect(retryBaggage({ number: 2, maxAttempts: 4 }, members(63))).toContain('retry-attempt=2');
    expect(retryBaggage({ number: 2, maxAttempts: 4 }, members(64))).toBe(members(64));
    const long = `k=${'ü'.repeat(4085)}`;
    expect(retryBaggage({ number: 2, maxAttempts: 4 }, long)).toBe(long);
  });

  it('does not pass the attempt of another call on, also where its own finds no room', () => {
    const full = Array.from({ length: 64 }, (_, i) => `k${i}=v`).join(',');
    expect(retryBaggage({ number: 2, maxAttempts: 4 }, `${full},retry-attempt=9`)).toBe(full);
  });

  it('is one line, whatever was there', () => {
    expect(retryBaggage({ number: 2, maxAttempts: 4 }, 'a=1,b=2\r\nx: y,c=\0')).toBe('a=1,retry-attempt=2;max=4');
    const piece = fc.constantFrom('a', '=', ';', ',', '\r', '\n', '\0', ' ', 'retry-attempt', '1');
    fc.assert(
      fc.property(fc.string({ unit: piece }), existing => {
        const baggage = retryBaggage({ number: 2, maxAttempts: 4 }, existing);
        return !/[\r\n\0]/.test(baggage) && readRetryAttempt({ baggage })?.attempt === 2;
      }),
    );
  });
});

describe('readRetryAttempt', () => {
  it.each<[string, Record<string, unknown>, object | undefined]>([
    ['our own', { 'retry-attempt': '2; max=4' }, { attempt: 2, maxAttempts: 4, source: 'own' }],
    ['our own without spaces', { 'Retry-Attempt': ' 2;max=4 ' }, { attempt: 2, maxAttempts: 4, source: 'own' }],
    ['our own without a maximum', { 'retry-attempt': '7' }, { attempt: 7, source: 'own' }],
    ['our own with an absurd maximum', { 'retry-attempt': '7; max=99999' }, { attempt: 7, source: 'own' }],
    ['baggage', { baggage: 'a=1, retry-attempt=3;max=5 ,b=2' }, { attempt: 3, maxAttempts: 5, source: 'baggage' }],
    ['gRPC', { 'grpc-previous-rpc-attempts': '1' }, { attempt: 2, source: 'grpc' }],
    ['gRPC at its most', { 'grpc-previous-rpc-attempts': '1000' }, { attempt: 1000, source: 'grpc' }],
    ['the metadata of gRPC', { get: (name: string) => (name.startsWith('grpc-prev') ? ['1'] : []) }, { attempt: 2 }],
    ['Envoy', { 'x-envoy-attempt-count': '3' }, { attempt: 3, source: 'envoy' }],
    ['AWS', { 'amz-sdk-request': 'attempt=2; max=3' }, { attempt: 2, maxAttempts: 3, source: 'aws' }],
    [
      'AWS with a time to live',
      { 'amz-sdk-request': 'ttl=20260101T000000Z; attempt=2; max=3' },
      { attempt: 2, maxAttempts: 3, source: 'aws' },
    ],
    [
      'our own before all others',
      { 'x-envoy-attempt-count': '9', 'retry-attempt': '2' },
      { attempt: 2, source: 'own' },
    ],
    ['another where ours is garbage', { 'x-envoy-attempt-count': '9', 'retry-attempt': 'x' }, { attempt: 9 }],
    ['nothing', {}, undefined],
    ['zero', { 'retry-attempt': '0' }, undefined],
    ['a negative number', { 'retry-attempt': '-1' }, undefined],
    ['an exponent', { 'retry-attempt': '1e3' }, undefined],
    ['hexadecimal', { 'retry-attempt': '0x10' }, undefined],
    ['a fraction', { 'retry-attempt': '1.5' }, undefined],
    ['too many', { 'retry-attempt': '1001' }, undefined],
    ['a huge number', { 'retry-attempt': '9'.repeat(400) }, undefined],
    ['a line break', { 'retry-attempt': '2\r\nx: y' }, undefined],
    ['a list', { 'retry-attempt': '2, 3' }, undefined],
    ['two headers', { 'retry-attempt': ['2', '3'] }, undefined],
    ['a line break at the end', { 'retry-attempt': '2\r\n' }, undefined],
    ['a member of baggage over two lines', { baggage: 'retry-attempt=2;\r\nmax=4' }, undefined],
    ['gRPC before the first retry', { 'grpc-previous-rpc-attempts': '0' }, undefined],
    ['two members of baggage', { baggage: 'retry-attempt=2,retry-attempt=3' }, undefined],
    ['a member without a value', { baggage: 'retry-attempt' }, undefined],
    ['baggage that is too long', { baggage: `retry-attempt=2,${'x'.repeat(9000)}=1` }, undefined],
    ['a getter that throws', Object.defineProperty({}, 'retry-attempt', { enumerable: true, get: thrower }), undefined],
  ])('reads %s', (_what, headers, expected) => {
    const found = readRetryAttempt(headers);
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(expected);
  });

  it('reads Headers too', () => {
    const headers = new Headers(retryHeaders({ number: 2, maxAttempts: 4 }));
    expect(readRetryAttempt(headers)).toEqual({ attempt: 2, maxAttempts: 4, source: 'own' });
    headers.append('retry-attempt', '3');
    expect(readRetryAttempt(headers)).toBeUndefined();
  });

  it('reads back what was written, in every form', () => {
    const attempt = fc.integer({ min: 1, max: 1000 });
    fc.assert(
      fc.property(attempt, attempt, (number, maxAttempts) => {
        const { 'retry-attempt': own, ...others } = retryHeaders(
          { number, maxAttempts },
          { forms: ['grpc', 'envoy', 'aws'] },
        );
        const baggage = retryBaggage({ number, maxAttempts }, 'a=b');
        const read = [{ 'retry-attempt': own }, { baggage }, ...Object.entries(others).map(([k, v]) => ({ [k]: v }))];
        return read.every(headers => readRetryAttempt(headers)?.attempt === number);
      }),
    );
  });

  it('believes nothing but small whole numbers, whatever it is sent', () => {
    const names = [
      'retry-attempt',
      'baggage',
      'grpc-previous-rpc-attempts',
      'x-envoy-attempt-count',
      'amz-sdk-request',
    ];
    const junk = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('1', '9', ';', '=', 'max', 'retry-attempt', '\r\n', ' ', ',', '-') }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...names), junk, (name, value) => {
        const found = readRetryAttempt({ [name]: value });
        return (
          found === undefined ||
          (found.attempt >= 1 && found.attempt <= 1000 && (found.maxAttempts === undefined || found.maxAttempts >= 1))
        );
      }),
      { numRuns: 2000 },
    );
  });
});

describe('refuseRetries', () => {
  it('writes to Headers, and refuses what is no response', () => {
    const headers = new Headers();
    refuseRetries(headers);
    expect([headers.get('x-should-retry'), headers.get('retry-stop')]).toEqual(['false', 'already_retried']);
    expect(() => refuseRetries({})).toThrow('refuseRetries: the argument must be a response');
  });
});

function thrower(): never {
  throw new Error('getter');
}
