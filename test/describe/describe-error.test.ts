import { runInNewContext } from 'node:vm';
import { causesOf, MAX_CAUSES } from '../../src/engine/causes.ts';
import { describeError, errorMessage, errorType, MAX_MESSAGE, MAX_STACK } from '../../src/engine/describe-error.ts';
import { HOSTILE_VALUES } from '../hostile/values.ts';

const coded = (code: unknown, more = {}): unknown => Object.assign(new Error('x'), { code }, more);

describe('errorType', () => {
  it.each<[unknown, string]>([
    [coded('ECONNRESET'), 'ECONNRESET'],
    [coded('UND_ERR_CONNECT_TIMEOUT'), 'UND_ERR_CONNECT_TIMEOUT'],
    [coded('ThrottlingException'), 'ThrottlingException'],
    [coded('card_declined'), 'card_declined'],
    [coded('too-many-requests'), 'too-many-requests'],
    [coded('40P01'), '40P01'],
    [coded('P2002'), 'P2002'],
    [coded('503'), '503'],
    [coded(14), '14'],
    [coded(0), '0'],
    [coded(-104), 'Error'],
    [coded(1.5), 'Error'],
    [coded(100_000), 'Error'],
    // No identifier, no sentence and no secret becomes a label.
    [coded('8f14e45f-ceea-467f-a9d5-9a1d0d2c4b6a'), 'Error'],
    [coded('123456'), 'Error'],
    [coded('AKIAIOSFODNN7EXAMPLE'), 'Error'],
    [coded('no such host'), 'Error'],
    [coded('A'.repeat(65)), 'Error'],
    [coded('A'.repeat(64)), 'A'.repeat(64)],
    [coded('', { name: 'ghp_16C7e42F292c6912E7710c838347Ae178B4a' }), 'Error'],
    [coded('x\n'), 'Error'],
    [coded('ECONNRESET', { status: 503 }), 'ECONNRESET'],
    // A code that only says that there was a bad status says less than the status.
    [coded('ERR_RETRY_HTTP_STATUS', { status: 503 }), '503'],
    [coded('ERR_BAD_RESPONSE', { response: { status: 502 } }), '502'],
    [coded('ERR_BAD_REQUEST', { status: 404 }), '404'],
    [coded('ERR_NON_2XX_3XX_RESPONSE', { response: { statusCode: 429 } }), '429'],
    [coded('ERR_BAD_RESPONSE'), 'ERR_BAD_RESPONSE'],
    [coded('ERR_BAD_REQUEST', { status: 700 }), 'ERR_BAD_REQUEST'],
    [coded('ERR_BAD_OPTION', { status: 503 }), 'ERR_BAD_OPTION'],
    [coded(7, { status: 503 }), '503'],
    [coded(11000, { name: 'MongoServerError' }), 'MongoServerError'],
    [{ statusCode: 100 }, '100'],
    [{ status: 599 }, '599'],
    [{ status: 600, name: 'X' }, 'X'],
    [{ status: 99, name: 'X' }, 'X'],
    [{ status: 200.5, name: 'X' }, 'X'],
    [{ response: { status: 429 } }, '429'],
    [{ response: { statusCode: 503 } }, '503'],
    [{ status: 'bad', response: { status: 503 } }, '503'],
    [new DOMException('x', 'AbortError'), 'AbortError'],
    [new DOMException('x', 'TimeoutError'), 'TimeoutError'],
    [new TypeError('fetch failed', { cause: coded('ECONNREFUSED') }), 'ECONNREFUSED'],
    [new Error('a', { cause: new Error('b', { cause: coded('EPIPE') }) }), 'EPIPE'],
    [new Error('a', { cause: coded('ERR_RETRY_HTTP_STATUS', { status: 503 }) }), '503'],
    [new Error('a', { cause: { statusCode: 504 } }), '504'],
    [new TypeError('a', { cause: new Error('b') }), 'TypeError'],
    [new RangeError('a', { cause: coded('EPIPE') }), 'RangeError'],
    [new AggregateError([coded('ENOTFOUND')]), 'ENOTFOUND'],
    [new AggregateError([]), 'AggregateError'],
    [runInNewContext('new RangeError("x")'), 'RangeError'],
    [Object.create(null), 'object'],
    [{}, 'Object'],
    [[], 'Array'],
    [null, 'null'],
    [undefined, 'undefined'],
    [Symbol('x'), 'symbol'],
    [() => 1, 'function'],
    ['ECONNRESET', 'string'],
    [1n, 'bigint'],
  ])('of %p is %s', (error, type) => {
    expect(errorType(error)).toBe(type);
  });
});

describe('causesOf', () => {
  it('finds causes and members, each once and in the order of their depth', () => {
    const shared = new Error('shared');
    const error = new AggregateError([shared, 'b'], 'x', { cause: shared });
    shared.cause = error;
    expect(causesOf(error)).toEqual([shared, 'b']);
  });

  it('looks at a few of many', () => {
    let error = new Error('root');
    for (let i = 0; i < 10_000; i++) error = new Error(`${i}`, { cause: error });
    expect(causesOf(error)).toHaveLength(MAX_CAUSES);
    expect(causesOf(new AggregateError(Array.from({ length: 10_000 }, (_, i) => new Error(`${i}`))))).toHaveLength(5);
    expect(causesOf({ errors: { length: 3, 0: 'a' } })).toEqual(['a']);
    expect(causesOf({ errors: 'text', cause: null })).toEqual([]);
    expect(causesOf('text')).toEqual([]);
  });
});

describe('describeError', () => {
  it('tells type, message, code and stack', () => {
    const error = Object.assign(new Error('no'), { code: 'EPIPE' });
    expect(describeError(error)).toEqual({ type: 'EPIPE', message: 'no', code: 'EPIPE', stack: error.stack });
    expect(describeError('down')).toEqual({ type: 'string', message: 'down' });
  });

  it.each<[unknown, string]>([
    [new Error('a', { cause: new Error('b', { cause: 'c' }) }), 'a; caused by: b; caused by: c'],
    [new Error('save: refused', { cause: new Error('refused') }), 'save: refused'],
    [new Error('', { cause: new Error('b') }), 'b'],
    [new Error('a', { cause: {} }), 'a'],
    [new AggregateError([new Error('m1'), new Error('m2')], 'all'), 'all; caused by: m1; caused by: m2'],
    [new Error('a', { cause: 0 }), 'a; caused by: 0'],
    [undefined, 'undefined'],
    [null, 'null'],
    [5, '5'],
    [12n, '12'],
    [10n ** 40n, '[bigint]'],
    [-(10n ** 40n), '[bigint]'],
    [Symbol('s'), 'Symbol(s)'],
    [Symbol(), 'Symbol()'],
    [() => 1, '[function]'],
    [{}, '[no readable message]'],
    [{ message: 5 }, '[no readable message]'],
  ])('the message of %p is %j', (error, message) => {
    expect(describeError(error).message).toBe(message);
    expect(errorMessage(error)).toBe(message);
  });

  it('shows the frames behind a huge message', () => {
    const { message, stack } = describeError(new Error('x '.repeat(2_500_000)));
    expect(message).toHaveLength(MAX_MESSAGE);
    expect(message.endsWith('…')).toBe(true);
    expect(stack?.length).toBeLessThanOrEqual(MAX_STACK);
    expect(stack).toMatch(/^Error: x x .*…\n {4}at .*describe-error\.test\.ts/);
  });

  it.each(HOSTILE_VALUES)('is stable and plain: %s', (_name, make) => {
    const value = make();
    const { type, message, ...rest } = describeError(value);
    for (const told of [type, message, ...Object.values(rest)]) {
      expect(typeof told).toBe('string');
      expect(told.isWellFormed()).toBe(true);
    }
    expect(errorType(value)).toBe(type);
    expect(errorMessage(value)).toBe(message);
  });

  it('runs no code of the value but getters', () => {
    const called: string[] = [];
    const spy = (name: string) => () => {
      called.push(name);
      return name;
    };
    const value = {
      toString: spy('toString'),
      toJSON: spy('toJSON'),
      valueOf: spy('valueOf'),
      [Symbol.toPrimitive]: spy('toPrimitive'),
      message: { toString: spy('message') },
      name: { toString: spy('name') },
      code: { toString: spy('code'), [Symbol.toPrimitive]: spy('code') },
    };
    describeError(value);
    expect(called).toEqual([]);
  });

  it('tells the whole of a stack without frames', () => {
    const stack = 'word '.repeat(600);
    expect(describeError({ stack }).stack).toBe(stack);
  });

  it('tells each frame once, however much of the message is hidden', () => {
    const { stack = '' } = describeError(new Error(`password=${'x'.repeat(1100)}`));
    expect(stack).toMatch(/^Error: password=\[redacted\]\n {4}at /);
    const frames = stack.split('\n').slice(1);
    expect(frames.filter(frame => frame === frames[0])).toHaveLength(1);
  });

  it('holds when the call stack is full', () => {
    const types = new Set<string>();
    const messages = new Set<string>();
    const error = new Error('x', { cause: new Error('y') });
    let levels = 0;
    const deep = (): void => {
      try {
        deep();
      } catch (overflow) {
        // On the way up there is room for more and more of the work.
        if (levels++ > 300) throw overflow;
        try {
          types.add(describeError(error).type);
          messages.add(errorMessage(error));
        } catch {
          // There was no room for the call itself.
        }
        throw overflow;
      }
    };
    expect(deep).toThrow(RangeError);
    expect(types).toEqual(new Set(['unknown', 'Error']));
    messages.delete('[redaction failed]');
    expect(messages).toEqual(new Set(['[no readable message]', 'x; caused by: y']));
  });
});
