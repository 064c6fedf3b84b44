import { runInNewContext } from 'node:vm';

/** Values that somebody may throw, each of which has broken a retry library, a tracer or a logger. */
export const HOSTILE_VALUES: readonly (readonly [name: string, make: () => unknown])[] = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['true', () => true],
  ['zero', () => 0],
  ['minus zero', () => -0],
  ['NaN', () => Number.NaN],
  ['a bigint', () => 10n ** 30n],
  ['an empty string', () => ''],
  ['a string', () => 'down'],
  ['a string of 5 MB', () => 'x'.repeat(5_000_000)],
  ['a lone surrogate', () => '\ud800'],
  ['control characters', () => 'a\u0000\n\r\u001b[31m\u2028b'],
  ['a symbol', () => Symbol('x')],
  ['a symbol without a name', () => Symbol()],
  ['a function', () => () => 1],
  ['a class', () => class Fault {}],
  ['a plain object', () => ({ a: 1 })],
  ['an object without a prototype', () => Object.assign(Object.create(null), { message: 'bare' })],
  ['a list', () => [1, 2, 3]],
  ['a date', () => new Date(Number.NaN)],
  ['a regular expression', () => /x/],
  ['a map', () => new Map([[1, 2]])],
  ['a buffer', () => Buffer.from('secret')],
  ['a promise', () => Promise.resolve(1)],
  ['a generator', () => (function* () {})()],
  ['an error', () => new Error('down')],
  ['an error without a message', () => new Error()],
  ['a frozen error', () => Object.freeze(new Error('down'))],
  ['a sealed error', () => Object.seal(new Error('down'))],
  ['an error of another realm', () => runInNewContext('new Error("elsewhere")')],
  ['a DOMException', () => new DOMException('x', 'TimeoutError')],
  ['an error whose message is a symbol', () => Object.assign(new Error(), { message: Symbol('m') })],
  ['an error whose message is an object', () => Object.assign(new Error(), { message: { toString: thrower } })],
  ['an error whose name is a number', () => Object.assign(new Error('x'), { name: 5 })],
  ['an error whose name is 5 MB', () => Object.assign(new Error('x'), { name: 'N'.repeat(5_000_000) })],
  ['an error whose code is an object', () => Object.assign(new Error('x'), { code: {} })],
  ['an error whose status is NaN', () => Object.assign(new Error('x'), { status: Number.NaN })],
  ['an error whose stack is an object', () => Object.assign(new Error('x'), { stack: {} })],
  ['an error with a message of 5 MB', () => new Error('m'.repeat(5_000_000))],
  ['an error with a stack of 5 MB', () => Object.assign(new Error('x'), { stack: 's'.repeat(5_000_000) })],
  ...[
    'message',
    'name',
    'stack',
    'code',
    'cause',
    'errors',
    'status',
    'response',
    'headers',
    'retryable',
    'constructor',
    'then',
  ].map(
    key =>
      [`a getter that throws: ${key}`, () => Object.defineProperty(new Error('x'), key, { get: thrower })] as const,
  ),
  ['a circular cause', () => circular()],
  ['mutual causes', () => mutual()],
  ['a chain of 10,000 causes', () => chain(10_000)],
  [
    'an AggregateError of 10,000',
    () =>
      new AggregateError(
        Array.from({ length: 10_000 }, () => new Error('x')),
        'many',
      ),
  ],
  ['an error whose errors are a revoked list', () => Object.assign(new Error('x'), { errors: revokedList() })],
  ['an error whose errors hold a revoked list', () => Object.assign(new Error('x'), { errors: [revokedList()] })],
  [
    'an error whose errors throw at everything',
    () => Object.assign(new Error('x'), { errors: new Proxy([1], { get: thrower, has: thrower }) }),
  ],
  [
    'an error whose first error throws',
    () => Object.assign(new Error('x'), { errors: Object.defineProperty([1], 0, { get: thrower }) }),
  ],
  ...[Number.NaN, 2 ** 53, -1, 1.5, 10n, Symbol('x'), { valueOf: thrower }, 'x'].map(
    length =>
      [
        `an error with errors of the length ${typeof length === 'object' ? 'an object' : String(length)}`,
        () => Object.assign(new Error('x'), { errors: { length, 0: 'x' } }),
      ] as const,
  ),
  [
    'an error with errors that never end',
    () =>
      Object.assign(new Error('x'), { errors: new Proxy([], { get: (_, key) => (key === 'length' ? 3 : endless()) }) }),
  ],
  ['an error whose errors are itself', () => selfContained()],
  ['an error whose errors are a function', () => Object.assign(new Error('x'), { errors: () => [1] })],
  ['a circular object', () => circularObject()],
  ['a revoked proxy', () => revoked()],
  ['a proxy that throws at everything', () => trapping()],
  ['a proxy that never ends', () => endless()],
  ['an object whose toString throws', () => ({ toString: thrower, valueOf: thrower, toJSON: thrower })],
  ['an object whose toPrimitive throws', () => ({ [Symbol.toPrimitive]: thrower })],
  ['an object whose toStringTag throws', () => Object.defineProperty({}, Symbol.toStringTag, { get: thrower })],
  [
    'a response with headers that throw',
    () => ({
      response: {
        get headers() {
          return thrower();
        },
      },
    }),
  ],
  ['headers whose get throws', () => Object.assign(new Error('x'), { headers: { get: thrower } })],
  ['a null status', () => Object.assign(new Error('x'), { status: null, statusCode: null, response: null })],
  ['a key named __proto__', () => JSON.parse('{"__proto__":{"retryable":false},"message":"x"}')],
];

function thrower(): never {
  throw new Error('hostile');
}

function circular(): Error {
  const error = new Error('x');
  error.cause = error;
  return error;
}

function mutual(): Error {
  const a = new Error('a');
  a.cause = new Error('b', { cause: a });
  return a;
}

function chain(length: number): Error {
  let error = new Error('root');
  for (let i = 0; i < length; i++) error = new Error(`level ${i}`, { cause: error });
  return error;
}

function circularObject(): object {
  const object: Record<string, unknown> = { message: 'x' };
  object.self = object;
  return object;
}

function revokedList(): object {
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  return proxy;
}

function selfContained(): Error {
  const error = new Error('x');
  return Object.assign(error, { errors: [error, error, error] });
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable(new Error('x'), {});
  revoke();
  return proxy;
}

function trapping(): object {
  return new Proxy(
    {},
    {
      get: thrower,
      has: thrower,
      ownKeys: thrower,
      getPrototypeOf: thrower,
      getOwnPropertyDescriptor: thrower,
      isExtensible: thrower,
    },
  );
}

/** Every property of it is another one like it. */
function endless(): object {
  return new Proxy({}, { get: (_, key) => (key === 'then' ? undefined : endless()) });
}
