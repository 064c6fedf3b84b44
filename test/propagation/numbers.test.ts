import { isAttemptNumber, parseAttemptNumber, toldNumber } from '../../src/limits/propagation/attempt-number.ts';
import { readRetryAttempt, retryAwareness, retryBaggage, retryHeaders } from '../../src/limits/propagation/index.ts';

it.each<[unknown, boolean]>([
  [1, true],
  [1000, true],
  [0, false],
  [-1, false],
  [1001, false],
  [1.5, false],
  ['2', false],
  [Number.NaN, false],
])('%p as the number of an attempt: %p', (value, expected) => {
  expect(isAttemptNumber(value)).toBe(expected);
});

it.each<[string | undefined, number | undefined]>([
  ['1', 1],
  ['1000', 1000],
  ['1001', undefined],
  ['0', undefined],
  ['01', undefined],
  ['x1', undefined],
  ['1x', undefined],
  ['12345', undefined],
  ['', undefined],
  [undefined, undefined],
])('%p read as a number: %p', (digits, expected) => {
  expect(parseAttemptNumber(digits)).toBe(expected);
});

it('tells no number above a thousand', () => {
  expect([toldNumber(1), toldNumber(1000), toldNumber(5000)]).toEqual([1, 1000, 1000]);
  expect(() => toldNumber(0)).toThrow('attempt.number is 0; it must be an integer from 1');
});

it.each<['grpc' | 'envoy' | 'aws', Record<string, string>]>([
  ['grpc', { 'grpc-previous-rpc-attempts': '1' }],
  ['envoy', { 'x-envoy-attempt-count': '2' }],
  ['aws', { 'amz-sdk-request': 'attempt=2; max=3' }],
])('writes what was asked for, %s, and nothing else', (form, expected) => {
  const headers = retryHeaders({ number: 2, maxAttempts: 3 }, { forms: [form] });
  expect(headers).toEqual({ 'retry-attempt': '2; max=3', ...expected });
});

it('refuses an identity that is none', () => {
  const attempt = { number: 1, maxAttempts: 3 };
  expect(() => retryHeaders(attempt, { invocationId: '' })).toThrow('invocationId is ""; it must be a string of 1');
  expect(() => retryHeaders(attempt, { invocationId: 5 as never })).toThrow('invocationId is 5; it must be a string');
  expect(() => retryHeaders(attempt, { invocationId: 'a b' })).toThrow('invocationId is "a b"');
});

describe('what surrounds a number', () => {
  it.each<[string, string]>([
    ['retry-attempt', 'x2'],
    ['retry-attempt', '2x'],
    ['retry-attempt', '2;max=3x'],
    ['retry-attempt', '2x;max=3'],
    ['grpc-previous-rpc-attempts', 'x2'],
    ['grpc-previous-rpc-attempts', '2x'],
    ['x-envoy-attempt-count', 'x2'],
    ['x-envoy-attempt-count', '2x'],
    ['amz-sdk-request', 'x; attempt=2; max=3'],
    ['amz-sdk-request', 'attempt=2; max=3; x'],
    ['retry-attempt', `2;${' '.repeat(100)}max=3`],
  ])('makes it none: %s: %s', (name, value) => {
    expect(readRetryAttempt({ [name]: value })).toBeUndefined();
  });

  it('may be spaces', () => {
    expect(readRetryAttempt({ 'retry-attempt': '2 ;  max=3' })).toMatchObject({ attempt: 2, maxAttempts: 3 });
    expect(readRetryAttempt({ 'amz-sdk-request': 'attempt=2' })).toMatchObject({ attempt: 2 });
    expect(readRetryAttempt({ 'retry-attempt': `2;${' '.repeat(92)}max=3` })).toMatchObject({ attempt: 2 });
    expect(readRetryAttempt({ baggage: 'a=1 , retry-attempt = 2 ; p ; max=4 ' })).toMatchObject({
      attempt: 2,
      maxAttempts: 4,
    });
  });
});

it('reads baggage that was sent in several headers', () => {
  expect(readRetryAttempt({ baggage: ['a=1', 'retry-attempt=2;x=9'] })).toEqual({
    attempt: 2,
    maxAttempts: undefined,
    source: 'baggage',
  });
});

it('fills baggage to its last byte', () => {
  const member = 'retry-attempt=2;max=4';
  const room = 8192 - member.length - 1;
  const full = `k=${'x'.repeat(room - 2)}`;
  expect(retryBaggage({ number: 2, maxAttempts: 4 }, full)).toBe(`${full},${member}`);
  expect(readRetryAttempt({ baggage: `${full},${member}` })).toMatchObject({ attempt: 2 });
  expect(retryBaggage({ number: 2, maxAttempts: 4 }, `${full}x`)).toBe(`${full}x`);
});

it('names what it was given in place of options', () => {
  expect(() => retryAwareness(5 as never)).toThrow('awareness options are 5; they must be an object');
});
