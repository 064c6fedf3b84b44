import {
  type AttemptContext,
  CircuitBreaker,
  NonRetryableError,
  RetryBudget,
  type RetryOptions,
  RetryPolicy,
  retry,
  retrySummary,
  setTesting,
} from '../../src/core.ts';
import { nestingFrame, runNested } from '../../src/engine/nesting.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { FakeClock, recordCalls } from '../../src/testing/index.ts';
import { outcomeOf, settle } from '../support/settle.ts';

let clock: FakeClock;
let base: RetryOptions<never>;
beforeEach(() => {
  clock = new FakeClock();
  base = { clock, jitter: false, initialDelay: 100, maxAttempts: 4 };
});
afterEach(() => {
  runtime.nesting = undefined;
});

/** Runs layers of retries around `work`, the outermost first. */
function layers(work: () => unknown, ...options: object[]): Promise<unknown> {
  const [outer, ...inner] = options;
  if (outer === undefined) return Promise.resolve().then(work);
  return retry(() => layers(work, ...inner), { ...base, ...outer } as RetryOptions<unknown>);
}

const down = (): never => {
  throw new Error('down');
};

it('makes 4 calls of three layers of four attempts, not 64', async () => {
  const work = jest.fn(down);
  const observer = recordCalls();
  const result = await settle(
    clock,
    layers(work, { observer, operation: 'outer' }, { observer, operation: 'middle' }, { observer, operation: 'inner' }),
  );
  expect(work).toHaveBeenCalledTimes(4);
  expect(result).toEqual({ error: expect.objectContaining({ message: 'down' }) });
  expect(observer.calls.map(({ info, end }) => [info.operation, end])).toMatchObject([
    ['outer', { attempts: 1, reason: 'already_retried' }],
    ['middle', { attempts: 1, reason: 'already_retried' }],
    ['inner', { attempts: 4, reason: 'attempts_exhausted' }],
  ]);
});

const STOP = { 'retry-stop': 'already_retried' };
const STOP_AND_SAY_SO = { ...STOP, 'x-should-retry': 'false' };

it.each<[string, RetryOptions<never>, object, number, string]>([
  ['by default', {}, STOP_AND_SAY_SO, 1, 'already_retried'],
  ['where it does not ask for no retry as well', {}, STOP, 4, 'attempts_exhausted'],
  ['where no other hint is heard', { retryAfter: false }, STOP, 1, 'already_retried'],
  ['where this layer retries', { nested: 'outer' }, STOP_AND_SAY_SO, 1, 'not_retryable'],
  [
    'where this layer retries and hears no hint',
    { nested: 'outer', retryAfter: false },
    STOP_AND_SAY_SO,
    4,
    'attempts_exhausted',
  ],
  [
    'where all layers retry and hear no hint',
    { nested: 'both', retryAfter: false },
    STOP_AND_SAY_SO,
    4,
    'attempts_exhausted',
  ],
])(
  'a service that says that it has retried already is a layer, %s',
  async (_when, options, headers, attempts, reason) => {
    const error = Object.assign(new Error('down'), { status: 503, headers });
    await settle(
      clock,
      retry(() => Promise.reject(error), { ...base, ...options }),
    );
    expect(retrySummary(error)).toMatchObject({ attempts, reason });
  },
);

it.each<[string, object[], number]>([
  ['both layers', [{ nested: 'both' }, {}], 16],
  ['the outer layer only', [{ nested: 'outer' }, {}], 4],
  ['the outer layer, with the inner one against it', [{ nested: 'outer' }, { nested: 'both' }], 16],
  ['the outermost of three', [{ nested: 'outer' }, {}, {}], 4],
  ['the one in the middle', [{}, { nested: 'outer' }, {}], 4],
  ['an outer layer around one that never retries', [{}, { maxAttempts: 1 }], 4],
])('retries in %s if asked to', async (_what, options, calls) => {
  const work = jest.fn(down);
  await settle(clock, layers(work, ...options));
  expect(work).toHaveBeenCalledTimes(calls);
});

it('tells inner layers from what merely follows', async () => {
  const work = jest.fn(down);
  const policy = new RetryPolicy({ ...base, nested: 'outer', maxAttempts: 1 });
  await settle(
    clock,
    policy.execute(() => 1 as never),
  );
  await settle(clock, layers(work, {}));
  expect(work).toHaveBeenCalledTimes(4);
});

it('shows inner layers of an outer one as what they are', async () => {
  const observer = recordCalls();
  const seen: number[] = [];
  const inner = (): Promise<unknown> =>
    retry(
      ({ maxAttempts }) => {
        seen.push(maxAttempts);
        return down();
      },
      { ...base, observer },
    );
  await settle(clock, retry(inner, { ...base, nested: 'outer', maxAttempts: 2 }));
  expect(seen).toEqual([1, 1]);
  expect(observer.calls[0]?.end).toMatchObject({ attempts: 1, reason: 'already_retried' });
});

it.each<[string, (error: unknown) => unknown]>([
  ['a cause', error => new Error('wrapped', { cause: error })],
  ['a cause of a cause', error => new Error('a', { cause: new Error('b', { cause: error }) })],
  ['an AggregateError', error => new AggregateError([error])],
])('finds what was given up in %s', async (_what, wrapped) => {
  const work = jest.fn(down);
  const inner = (): Promise<unknown> =>
    retry(work, base).catch(error => {
      throw wrapped(error);
    });
  const result = await settle(clock, retry(inner, base));
  expect(work).toHaveBeenCalledTimes(4);
  expect(retrySummary((result as { error: unknown }).error)?.reason).toBe('already_retried');
});

it.each<[string, (error: unknown) => unknown]>([
  ['is too deep to be looked for', error => [1, 2, 3, 4, 5, 6].reduce(cause => new Error('x', { cause }), error)],
  ['stands beside what was not retried', error => new AggregateError([error, new Error('other')])],
  ['is not in the new error at all', () => new Error('new')],
  ['is a text', () => 'text'],
])('retries what %s', async (_what, wrapped) => {
  const work = jest.fn(down);
  const inner = (): Promise<unknown> =>
    retry(work, base).catch(error => {
      throw wrapped(error);
    });
  await settle(clock, retry(inner, base));
  expect(work).toHaveBeenCalledTimes(16);
});

it('is not misled by one error object that several calls throw', async () => {
  const singleton = new Error('always the same');
  const work = jest.fn(() => {
    throw singleton;
  });
  await settle(clock, retry(work, base));
  await settle(clock, retry(work, base));
  expect(work).toHaveBeenCalledTimes(8);
  const together = Array.from({ length: 20 }, () => outcomeOf(retry(work, base)));
  await clock.runAll();
  await Promise.all(together);
  expect(work).toHaveBeenCalledTimes(88);
});

describe('where one error object is thrown again and again', () => {
  let constant: Error;
  const work = jest.fn(async () => {
    // Some attempts take long enough for whole calls to begin and end within them.
    for (let turn = (work.mock.calls.length * 7919) % 97; turn > 0; turn--) await undefined;
    throw constant;
  });
  beforeEach(() => {
    constant = new Error('always the same');
    work.mockClear();
    setTesting({ delays: 'none' });
  });
  afterEach(() => setTesting());

  it('leaves no call without its retries', async () => {
    const options = { ...base, maxAttempts: 3 };
    const reasons = new Map<string | undefined, number>();
    const many = Array.from({ length: 2000 }, async () => {
      const { error } = (await outcomeOf(retry(work, options))) as { error: unknown };
      const reason = retrySummary(error)?.reason;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    });
    await Promise.all(many);
    expect([...reasons]).toEqual([['attempts_exhausted', 2000]]);
    expect(work).toHaveBeenCalledTimes(6000);
  });

  it('still retries in one layer only, once it is known', async () => {
    await outcomeOf(retry(work, base));
    work.mockClear();
    await Promise.all(Array.from({ length: 50 }, () => outcomeOf(layers(work, {}, {}, {}))));
    expect(work).toHaveBeenCalledTimes(200);
  });

  it('holds what an attempt gave up inside against that attempt alone', async () => {
    await outcomeOf(retry(work, base));
    await outcomeOf(retry(work, base));
    expect(runtime.nesting).toBeDefined();
    const outer = jest.fn(async ({ number }: AttemptContext) => {
      if (number > 1) throw constant;
      await outcomeOf(retry(work, base));
      throw new Error('of its own');
    });
    const { error } = (await outcomeOf(retry(outer, base))) as { error: unknown };
    expect(retrySummary(error)).toMatchObject({ reason: 'attempts_exhausted', attempts: 4 });
  });

  it('knows it by a call that gives up at its first attempt, too', async () => {
    const budget = new RetryBudget({ name: 'spent', capacity: 1, ratio: 0 });
    budget.tryWithdraw();
    await outcomeOf(retry(work, { ...base, budget }));
    expect(runtime.nesting).toBeUndefined();
    await outcomeOf(retry(work, { ...base, budget }));
    expect(runtime.nesting).toBeDefined();
  });

  it('carries nothing around attempts as long as each failure has an error of its own', async () => {
    await settle(clock, layers(jest.fn(down), {}, {}, {}));
    expect(runtime.nesting).toBeUndefined();
  });
});

it('leaves an error that is not retryable to the judgement of the outer layer', async () => {
  const work = jest.fn(() => {
    throw new TypeError('bug');
  });
  await settle(clock, layers(work, { retryOn: TypeError }, {}));
  expect(work).toHaveBeenCalledTimes(4);
  const final = jest.fn(() => {
    throw new NonRetryableError('no');
  });
  await settle(clock, layers(final, {}, {}));
  expect(final).toHaveBeenCalledTimes(1);
});

it('does not hammer a circuit that is open below', async () => {
  const breaker = new CircuitBreaker({ clock });
  breaker.forceOpen();
  const work = jest.fn(down);
  await settle(clock, layers(work, {}, { breaker }));
  expect(work).not.toHaveBeenCalled();
  expect(clock.sleeps).toEqual([]);
});

it('looks at hostile errors without harm', async () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  const hostile = [
    null,
    undefined,
    proxy,
    Object.create(null),
    Object.defineProperty({}, 'cause', { get: down }),
    Object.assign(new Error('circular'), { errors: [1, null] }),
  ];
  const circular = new Error('circular');
  circular.cause = circular;
  revoke();
  await settle(clock, retry(down, base));
  for (const error of [...hostile, circular]) {
    const work = jest.fn(() => {
      throw error;
    });
    const inner = (): Promise<never> => retry(work, { ...base, maxAttempts: 2 });
    const result = await settle(clock, retry(inner, { ...base, maxAttempts: 2 }));
    expect('error' in result && Object.is(result.error, error)).toBe(true);
  }
});

it('tells a frame that a call inside it has given up', async () => {
  const frame = { retriesOutside: false, gaveUp: false };
  expect(nestingFrame()).toBeUndefined();
  await settle(
    clock,
    runNested(frame, () => retry(({ number }) => (number < 2 ? down() : 1), base)),
  );
  expect(frame.gaveUp).toBe(false);
  await settle(
    clock,
    runNested(frame, () => retry(down, base)),
  );
  expect(frame.gaveUp).toBe(true);
});
