import { faultCounts } from '../../src/engine/faults.ts';
import { readHint, readRetryAfter } from '../../src/engine/retry-after.ts';
import { FakeClock } from '../../src/testing/index.ts';

// The fake epoch is 2024-01-01T00:00:00Z, a Monday.
const clock = new FakeClock();
const withHeader = (value: unknown, name = 'retry-after'): unknown => ({ headers: { [name]: value } });

describe('Retry-After', () => {
  it.each<[string, unknown, number | undefined]>([
    ['seconds', '120', 120_000],
    ['zero', '0', 0],
    ['spaces around', ' 7 ', 7000],
    ['an IMF-fixdate', 'Mon, 01 Jan 2024 00:01:00 GMT', 60_000],
    ['an RFC 850 date', 'Monday, 01-Jan-24 00:01:00 GMT', 60_000],
    ['an asctime date', 'Mon Jan  1 00:01:00 2024', 60_000],
    ['a date in the past', 'Sun, 06 Nov 1994 08:49:37 GMT', 0],
    ['a negative number', '-5', undefined],
    ['a fraction', '1.5', undefined],
    ['a hexadecimal number', '0x10', undefined],
    ['nothing', '', undefined],
    ['Infinity', 'Infinity', undefined],
    ['an exponent', '1e9', undefined],
    ['400 digits', '9'.repeat(400), undefined],
    ['two values', '10,20', undefined],
    ['an ISO date', '2024-01-01T00:01:00Z', undefined],
    ['words', 'later', undefined],
    ['no string', 12, undefined],
    ['a list', ['5', '6'], undefined],
    ['an impossible date', 'Mon, 99 Jan 2024 00:01:00 GMT', undefined],
  ])('%s', (_name, value, expected) => {
    expect(readRetryAfter(withHeader(value), clock)).toBe(expected);
  });

  it.each<[string, unknown, number | undefined]>([
    ['any case of the name', withHeader('3', 'Retry-After'), 3000],
    ['a Headers object', { headers: new Headers({ 'retry-after': '3' }) }, 3000],
    ['the headers of the response', { response: { headers: { 'retry-after': '3' } } }, 3000],
    ['own headers first', { headers: { 'retry-after': '2' }, response: { headers: { 'retry-after': '3' } } }, 2000],
    ['a result itself', new Response('', { headers: { 'retry-after': '3' } }), 3000],
    ['milliseconds first', { headers: { 'retry-after-ms': '250', 'retry-after': '3' } }, 250],
    ['seconds when the milliseconds are garbage', { headers: { 'retry-after-ms': 'x', 'retry-after': '3' } }, 3000],
    ['the error’s own number', { retryAfterMs: 40, headers: { 'retry-after': '3' } }, 40],
    ['not a negative one', { retryAfterMs: -1, headers: { 'retry-after': '3' } }, 3000],
    ['no headers', new Error('x'), undefined],
    ['null headers', { headers: null }, undefined],
    ['headers that are no object', { headers: 'x' }, undefined],
    ['a null response', { headers: {}, response: null }, undefined],
    ['a string', 'retry-after: 5', undefined],
    ['undefined', undefined, undefined],
  ])('is read from %s', (_name, failure, expected) => {
    expect(readRetryAfter(failure, clock)).toBe(expected);
  });

  it('survives headers that throw', () => {
    const hostile = {
      get headers(): never {
        throw new Error('no');
      },
    };
    expect(readRetryAfter(hostile, clock)).toBeUndefined();
    expect(
      readRetryAfter(
        {
          headers: {
            get: () => {
              throw new Error('no');
            },
          },
        },
        clock,
      ),
    ).toBeUndefined();
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
    expect(
      readHint(
        {
          retryAfter: () => {
            throw new Error('no');
          },
          clock,
        },
        {},
      ),
    ).toBeUndefined();
    expect(faultCounts().get('hook')).toBe(before + 1);
  });
});
