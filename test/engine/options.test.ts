import * as fc from 'fast-check';
import { attempts, DEFAULTS, type RetryOptions, RetryPolicy, retry, retrySync } from '../../src/core.ts';
import { createPolicy } from '../../src/engine/policy.ts';
import { systemClock } from '../../src/engine/system-clock.ts';

/** Every option of a policy. */
const NAMES = Object.keys({
  operation: 0,
  maxAttempts: 0,
  initialDelay: 0,
  maxDelay: 0,
  exponentialBase: 0,
  jitter: 0,
  backoff: 0,
  retryOn: 0,
  retryOnResult: 0,
  attemptTimeout: 0,
  maxElapsed: 0,
  signal: 0,
  retryAfter: 0,
  deadline: 0,
  budget: 0,
  breaker: 0,
  adaptive: 0,
  bulkhead: 0,
  hedge: 0,
  fallback: 0,
  nested: 0,
  onRetry: 0,
  onStop: 0,
  observer: 0,
  attributes: 0,
  clock: 0,
  unref: 0,
} satisfies Record<keyof RetryOptions, 0>);

/** Every look at it throws. */
function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const make = (options: object): unknown => new RetryPolicy(options as RetryOptions);

describe('a wrong option', () => {
  it.each<[object, typeof TypeError | typeof RangeError, string]>([
    [{ maxAttempts: 0 }, RangeError, 'maxAttempts is 0; it must be an integer of 1 or more'],
    [{ maxAttempts: -1 }, RangeError, 'maxAttempts is -1; it must be an integer of 1 or more'],
    [{ maxAttempts: 1.5 }, RangeError, 'maxAttempts is 1.5; it must be an integer of 1 or more'],
    [{ maxAttempts: Number.NaN }, RangeError, 'maxAttempts is NaN; it must be an integer of 1 or more'],
    [{ maxAttempts: '3' }, TypeError, 'maxAttempts is "3"; it must be an integer of 1 or more'],
    [{ maxAttempts: 3n }, TypeError, 'maxAttempts is 3n; it must be an integer of 1 or more'],
    [
      { maxAttempts: Infinity },
      RangeError,
      'maxAttempts is Infinity; it needs maxElapsed or signal as well, or the call may never end',
    ],
    [{ initialDelay: -1 }, RangeError, 'initialDelay is -1; it must be a number of milliseconds from 0 to 2147483647'],
    [
      { initialDelay: Number.NaN },
      RangeError,
      'initialDelay is NaN; it must be a number of milliseconds from 0 to 2147483647',
    ],
    [
      { maxDelay: Infinity },
      RangeError,
      'maxDelay is Infinity; it must be a number of milliseconds from 0 to 2147483647',
    ],
    [
      { maxDelay: 2 ** 31 },
      RangeError,
      'maxDelay is 2147483648; it must be a number of milliseconds from 0 to 2147483647',
    ],
    [{ maxDelay: null }, TypeError, 'maxDelay is null; it must be a number of milliseconds from 0 to 2147483647'],
    [{ exponentialBase: 0.5 }, RangeError, 'exponentialBase is 0.5; it must be a number from 1 to 1000'],
    [{ exponentialBase: 1001 }, RangeError, 'exponentialBase is 1001; it must be a number from 1 to 1000'],
    [{ exponentialBase: Number.NaN }, RangeError, 'exponentialBase is NaN; it must be a number from 1 to 1000'],
    [
      { jitter: 'some' },
      TypeError,
      "jitter is \"some\"; it must be true, false, 'full', 'equal', 'proportional' or 'decorrelated'",
    ],
    [
      { backoff: 'random' },
      TypeError,
      "backoff is \"random\"; it must be 'exponential', 'constant', 'linear', 'fibonacci', a list of milliseconds or a function",
    ],
    [{ backoff: [] }, RangeError, 'backoff is a list of 0; it must be a list of at least one delay'],
    [{ backoff: [1, -2] }, RangeError, 'backoff[1] is -2; it must be a number of milliseconds from 0 to 2147483647'],
    [
      { backoff: Array(2) },
      TypeError,
      'backoff[0] is undefined; it must be a number of milliseconds from 0 to 2147483647',
    ],
    [{ backoff: [1, 'x'] }, TypeError, 'backoff[1] is "x"; it must be a number of milliseconds from 0 to 2147483647'],
    [{ retryOn: 5 }, TypeError, 'retryOn is 5; it must be an error class, a code, a list of those, or a function'],
    [
      { retryOn: [Error, 5] },
      TypeError,
      'retryOn is a list of 2; it must be an error class, a code, a list of those, or a function',
    ],
    [
      { retryOn: [() => true] },
      TypeError,
      'retryOn is a list of 1; it must be an error class, a code, a list of those, or a function',
    ],
    [{ retryOnResult: true }, TypeError, 'retryOnResult is true; it must be a function'],
    [
      { attemptTimeout: 0 },
      RangeError,
      'attemptTimeout is 0; it must be a number of milliseconds from 1 to 2147483647',
    ],
    [{ maxElapsed: 0.5 }, RangeError, 'maxElapsed is 0.5; it must be a number of milliseconds from 1 to 2147483647'],
    [
      { maxElapsed: 2 ** 32 },
      RangeError,
      'maxElapsed is 4294967296; it must be a number of milliseconds from 1 to 2147483647',
    ],
    [{ signal: {} }, TypeError, 'signal is an object; it must be an AbortSignal'],
    [{ signal: { aborted: false } }, TypeError, 'signal is an object; it must be an AbortSignal'],
    [{ retryAfter: 'yes' }, TypeError, 'retryAfter is "yes"; it must be true, false or a function'],
    [{ onRetry: 1 }, TypeError, 'onRetry is 1; it must be a function'],
    [{ onStop: [] }, TypeError, 'onStop is a list of 0; it must be a function'],
    [{ observer: {} }, TypeError, 'observer is an object; it must be an object with a function "call"'],
    [{ observer: 'otel' }, TypeError, 'observer is "otel"; it must be an object with a function "call"'],
    [{ attributes: 'x' }, TypeError, 'attributes is "x"; it must be an object of strings, numbers and booleans'],
    [{ attributes: null }, TypeError, 'attributes is null; it must be an object of strings, numbers and booleans'],
    [
      { attributes: { a: {} } },
      TypeError,
      'attributes is an object; it must be an object of strings, numbers and booleans',
    ],
    [{ clock: { now: () => 1 } }, TypeError, 'clock is an object; it must be a Clock'],
    [
      { attributes: { a: 'x', b: null } },
      TypeError,
      'attributes is an object; it must be an object of strings, numbers and booleans',
    ],
    [
      { signal: { aborted: 0, addEventListener: () => 1 } },
      TypeError,
      'signal is an object; it must be an AbortSignal',
    ],
    [
      { signal: { aborted: false, addEventListener: () => 1 } },
      TypeError,
      'signal is an object; it must be an AbortSignal',
    ],
    [
      { deadline: { getTime: 1, valueOf: () => 1 } },
      TypeError,
      'deadline is an object; it must be a Date or milliseconds since 1970',
    ],
    [{ unref: 1 }, TypeError, 'unref is 1; it must be true or false'],
    [{ operation: '' }, RangeError, 'operation is ""; it must be a string of 1 to 200 characters'],
    [
      { operation: 'x'.repeat(201) },
      RangeError,
      `operation is "${'x'.repeat(60)}…"; it must be a string of 1 to 200 characters`,
    ],
    [{ operation: Symbol('s') }, TypeError, 'operation is Symbol(s); it must be a string of 1 to 200 characters'],
    [{ operation: () => 1 }, TypeError, 'operation is a function; it must be a string of 1 to 200 characters'],
    [{ maxAtempts: 3 }, TypeError, '"maxAtempts" is not an option; did you mean "maxAttempts"?'],
    [{ MaxAttempts: 3 }, TypeError, '"MaxAttempts" is not an option; did you mean "maxAttempts"?'],
    [{ initalDelay: 3 }, TypeError, '"initalDelay" is not an option; did you mean "initialDelay"?'],
    [{ delay: 3 }, TypeError, '"delay" is not an option'],
    [{ zzzzzzzzzzzzzz: 3 }, TypeError, '"zzzzzzzzzzzzzz" is not an option'],
    [
      { retries: 4 },
      TypeError,
      'retries is not an option; maxAttempts counts every execution, the first included: retries 4 is maxAttempts 5',
    ],
    [{ retries: 'x' }, TypeError, 'retries is not an option; maxAttempts counts every execution, the first included'],
    [JSON.parse('{"__proto__":{"maxAttempts":1e9}}'), TypeError, '"__proto__" is not an option'],
    [{ constructor: 1 }, TypeError, '"constructor" is not an option'],
  ])('%j', (options, kind, message) => {
    expect(() => make(options)).toThrow(kind);
    expect(() => make(options)).toThrow(new kind(message));
    expect(() => retry(() => 1, options as RetryOptions<number>)).toThrow(kind);
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a number', 5],
    ['a text', 'x'],
    ['a list', []],
    ['a map', new Map([['maxAttempts', 5]])],
    ['a signal', new AbortController().signal],
    ['a promise', Promise.resolve({})],
    ['an object that only inherits them', Object.create({ maxAttempts: 5 })],
    ['a Proxy that was revoked', revoked()],
  ])('options that are %s', (_, options) => {
    expect(() => createPolicy(options as never)).toThrow('retry options are');
    expect(() => createPolicy(options as never)).toThrow(TypeError);
    expect(() => createPolicy(options as never)).toThrow('they must be an object of options');
  });

  it.each(NAMES)('%s, given as a Proxy that was revoked, or with a getter that throws', name => {
    const hostile = {
      get [name](): unknown {
        throw new Error('not today');
      },
    };
    expect(() => make(hostile)).toThrow(TypeError);
    expect(() => make(hostile)).toThrow(`"${name}" cannot be read`);
    // What falls back on anything takes this too.
    if (name === 'fallback') return;
    expect(() => make({ [name]: revoked() })).toThrow(TypeError);
    expect(() => make({ [name]: revoked() })).toThrow(`${name} is an object; it must be`);
  });
});

describe('what one call has of its own', () => {
  const policy = new RetryPolicy({ initialDelay: 0 });
  const { signal } = new AbortController();

  it.each<[unknown, string]>([
    [{ sginal: signal }, '"sginal" is not an option; did you mean "signal"?'],
    [{ maxAttempts: 9 }, '"maxAttempts" is not an option'],
    [{ signal: 5 }, 'signal is 5; it must be an AbortSignal'],
    [{ signal: null }, 'signal is null; it must be an AbortSignal'],
    [{ signal: new AbortController() }, 'signal is an object; it must be an AbortSignal'],
    [{ deadline: 'soon' }, 'deadline is "soon"; it must be a Date or milliseconds since 1970'],
    [signal, 'the options of a call are an object; they must be an object of options'],
    [null, 'the options of a call are null; they must be an object of options'],
    [5, 'the options of a call are 5; they must be an object of options'],
  ])('is checked: %j', (perCall, text) => {
    const fn = jest.fn();
    expect(() => policy.execute(fn, perCall as never)).toThrow(new TypeError(text));
    expect(fn).not.toHaveBeenCalled();
  });

  it.each<[string, (options: RetryOptions) => unknown]>([
    ['retry', options => retry(() => 1, options)],
    ['retrySync', options => retrySync(() => 1, options)],
    ['attempts', options => attempts(options as RetryOptions<never>)],
  ])('is checked by %s although the same options object was right before', (_, form) => {
    const options: { signal?: AbortSignal } = {};
    form(options);
    options.signal = new AbortController() as never;
    expect(() => form(options)).toThrow(new TypeError('signal is an object; it must be an AbortSignal'));
  });

  it('may be left out', async () => {
    await expect(policy.execute(() => 1, { signal: undefined, deadline: undefined })).resolves.toBe(1);
    await expect(policy.execute(() => 1, {})).resolves.toBe(1);
  });
});

describe('a right option', () => {
  it.each<[object]>([
    [{}],
    [{ maxAttempts: 1 }],
    [{ maxAttempts: Infinity, maxElapsed: 5 }],
    [{ maxAttempts: Infinity, signal: new AbortController().signal }],
    [{ initialDelay: 0, maxDelay: 2 ** 31 - 1 }],
    [{ exponentialBase: 1 }],
    [{ exponentialBase: 1000 }],
    [{ attemptTimeout: 1, maxElapsed: 2 ** 31 - 1 }],
    [{ operation: 'x'.repeat(200) }],
    [{ backoff: [0] }],
    [{ unref: true }],
    [{ unref: false }],
    [{ retryOn: Error }],
    [{ retryOn: [Error, 'EPIPE'] }],
    [{ attributes: { a: 'x', b: 1, c: true } }],
    [{ clock: systemClock }],
    [{ jitter: undefined, signal: undefined }],
  ])('%j', options => {
    expect(() => make(options)).not.toThrow();
  });

  it('has the documented defaults', () => {
    expect(createPolicy({})).toMatchObject({ ...DEFAULTS_OF_POLICY });
    expect(DEFAULTS).toMatchObject({ maxAttempts: 3, initialDelay: 1000, maxDelay: 60_000, exponentialBase: 2 });
  });

  it('is read once, from the options’ own properties only', () => {
    let reads = 0;
    const inherited = Object.create({ maxAttempts: 9 });
    Object.defineProperty(inherited, 'initialDelay', { enumerable: true, get: () => ++reads });
    const policy = createPolicy(inherited);
    expect([policy.maxAttempts, policy.initialDelay, reads]).toEqual([3, 1, 1]);
  });

  it('gives a frozen policy that later changes do not reach', () => {
    const backoff = [1, 2];
    const attributes = { team: 'a' };
    const policy = createPolicy({ backoff, attributes });
    backoff[0] = 99;
    attributes.team = 'b';
    expect(policy.backoff).toEqual([1, 2]);
    expect(policy.attributes).toEqual({ team: 'a' });
    expect([policy, policy.backoff, policy.attributes].every(Object.isFrozen)).toBe(true);
  });
});

const DEFAULTS_OF_POLICY = {
  operation: undefined,
  maxAttempts: 3,
  initialDelay: 1000,
  maxDelay: 60_000,
  exponentialBase: 2,
  jitter: true,
  backoff: 'exponential',
  attemptTimeout: Infinity,
  maxElapsed: Infinity,
  retryAfter: true,
  hold: 'ref',
  limited: false,
  plain: true,
};

describe('the validator', () => {
  it('never throws anything but a TypeError or a RangeError that names an option', () => {
    const names = [...NAMES, 'unknown'];
    const value = fc.anything({ withBigInt: true, withSparseArray: true, withNullPrototype: true });
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value), options => {
        try {
          createPolicy(options as RetryOptions);
          return true;
        } catch (error) {
          const { name, message } = error as Error;
          const named = /^"?(\w+)/.exec(message)?.[1] ?? '';
          return (name === 'TypeError' || name === 'RangeError') && names.includes(named);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
