import { faultCounts, type RetryObserver, type RetryOptions, retry, retrySync } from '../../src/core.ts';
import { composeObservers } from '../../src/engine/compose.ts';
import { errorMessage } from '../../src/engine/describe-error.ts';
import { createPolicy } from '../../src/engine/policy.ts';
import { setRedactor } from '../../src/engine/redact.ts';
import { handleStrayPromise } from '../../src/engine/stray-promise.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { FORMS, type Form } from '../support/forms.ts';
import { outcomeOf, settle } from '../support/settle.ts';

// Where the types say that nothing is awaited, somebody writes `async` all the same. What is rejected there is counted,
// and never an unhandled rejection, which would end the process.

const rejects = (async () => {
  throw new Error('stray');
}) as () => never;

const unhandled = jest.fn();
let clock: FakeClock;
let base: RetryOptions<never>;
beforeEach(() => {
  clock = new FakeClock();
  base = { clock, jitter: false, initialDelay: 100, operation: 'op' };
  process.on('unhandledRejection', unhandled);
});
afterEach(async () => {
  await new Promise(setImmediate);
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

/** How many faults of `source` come from a call of `form` whose first attempt fails, and which succeeds then. */
async function faultsOf(form: Form, source: string, options: RetryOptions): Promise<number> {
  const before = faultCounts().get(source) ?? 0;
  const work = (number: number): number => {
    if (number < 2) throw new Error('down');
    return number;
  };
  expect(await settle(clock, form.run(work, { ...base, ...options } as RetryOptions<number>))).toEqual({ value: 2 });
  await new Promise(setImmediate);
  return (faultCounts().get(source) ?? 0) - before;
}

const ASYNC_OBSERVERS: readonly (readonly [method: string, observer: RetryObserver, rejections: number])[] = [
  ['call', { call: rejects }, 1],
  ['prepare', { call: () => undefined, prepare: rejects }, 1],
  ['attempt', { call: () => ({ attempt: rejects }) }, 2],
  ['event', { call: () => ({ event: rejects }) }, 1],
  ['end of a call', { call: () => ({ end: rejects }) }, 1],
  ['end of an attempt', { call: () => ({ attempt: () => ({ end: rejects }) }) }, 2],
  [
    'run',
    {
      call: () => ({
        attempt: () => ({
          run: (async (fn: () => unknown) => {
            fn();
            return rejects();
          }) as never,
        }),
      }),
    },
    2,
  ],
];

describe.each(ASYNC_OBSERVERS)('an observer whose %s rejects', (_method, observer, rejections) => {
  it.each(FORMS.map(form => [form.name, form] as const))('is counted, in %s', async (_form, form) => {
    expect(await faultsOf(form, 'observer', { observer })).toBe(rejections);
  });

  it('is counted among others, too', async () => {
    const both = composeObservers([observer, { call: () => ({ attempt: () => ({}) }) }]) as RetryObserver;
    expect(await faultsOf(FORMS[0] as Form, 'observer', { observer: both })).toBe(rejections);
  });
});

it('an observer whose run awaits the function ends no process when that rejects', async () => {
  const observer: RetryObserver = {
    call: () => ({ attempt: () => ({ run: (async (fn: () => unknown) => await fn()) as never }) }),
  };
  const error = new Error('down');
  const call = retry(() => Promise.reject(error), { ...base, observer });
  expect(await settle(clock, call)).toEqual({ error });
});

it('an observer whose run returns what the function returned is at no fault', async () => {
  const before = faultCounts().get('observer') ?? 0;
  const observer: RetryObserver = { call: () => ({ attempt: () => ({ run: fn => fn() }) }) };
  await settle(
    clock,
    retry(() => Promise.reject(new Error('down')), { ...base, observer }),
  );
  expect(
    await settle(
      clock,
      retry(async () => 1, { ...base, observer } as RetryOptions<number>),
    ),
  ).toEqual({
    value: 1,
  });
  await new Promise(setImmediate);
  expect(faultCounts().get('observer') ?? 0).toBe(before);
});

it('a promise in place of a scope watches nothing', async () => {
  const attempt = jest.fn();
  const scope = Object.assign(Promise.resolve(), { attempt });
  await retry(() => 1, { observer: { call: () => scope as never } });
  expect(attempt).not.toHaveBeenCalled();
});

const budget = { name: 'x', balance: () => 1, deposit: () => undefined, tryWithdraw: () => 1 };
const breaker = { name: 'x', whenOpen: 'stop', tryEnter: () => 1, leave: () => undefined, openForMs: () => 0 } as const;
const adaptive = { name: 'x', admit: () => 0, record: () => undefined };
const observer: RetryObserver = { call: () => ({}) };

const ASYNC_OPTIONS: readonly (readonly [name: string, source: string, options: RetryOptions, faults: number])[] = [
  ['onRetry', 'hook', { onRetry: rejects }, 1],
  // No number of milliseconds, and then a rejection.
  ['backoff', 'backoff', { backoff: rejects }, 2],
  ['retryAfter', 'hook', { retryAfter: rejects }, 1],
  ['budget.deposit', 'limit', { budget: { ...budget, deposit: rejects } }, 2],
  ['budget.charge', 'limit', { budget: { ...budget, charge: rejects } }, 1],
  ['budget.balance', 'limit', { budget: { ...budget, balance: rejects }, observer }, 1],
  ['breaker.tryEnter', 'limit', { breaker: { ...breaker, tryEnter: rejects } }, 2],
  ['breaker.leave', 'limit', { breaker: { ...breaker, leave: rejects } }, 2],
  ['breaker.openForMs', 'limit', { breaker: { ...breaker, openForMs: rejects } }, 1],
  ['adaptive.admit', 'limit', { adaptive: { ...adaptive, admit: rejects } }, 2],
  ['adaptive.record', 'limit', { adaptive: { ...adaptive, record: rejects } }, 2],
];

describe.each(ASYNC_OPTIONS)('%s that rejects', (_name, source, options, faults) => {
  it.each(FORMS.map(form => [form.name, form] as const))('is counted, in %s', async (_form, form) => {
    expect(await faultsOf(form, source, options)).toBe(faults);
  });
});

it('a hedge that rejects is counted, and no second attempt is made', async () => {
  const hedge = { delayMs: rejects, record: rejects };
  expect(await faultsOf(FORMS[0] as Form, 'limit', { hedge })).toBe(3);
});

it.each([null, '5', Number.NaN, -1, {}])('a hedge that answers %p starts no second attempt', async answer => {
  const work = jest.fn(() => clock.sleep(1000, undefined, 'ref'));
  await settle(clock, retry(work, { ...base, hedge: { delayMs: () => answer as never } } as RetryOptions<void>));
  expect(work).toHaveBeenCalledTimes(1);
});

it('onStop that rejects is counted', async () => {
  const before = faultCounts().get('hook') ?? 0;
  const failing = (): never => {
    throw new Error('down');
  };
  await settle(clock, retry(failing, { ...base, maxAttempts: 1, onStop: rejects }));
  expect(() => retrySync(failing, { ...base, maxAttempts: 1, onStop: rejects })).toThrow('down');
  await new Promise(setImmediate);
  expect(faultCounts().get('hook')).toBe(before + 2);
});

it('retryOnResult of the synchronous form that rejects refuses nothing, and is counted', async () => {
  const before = faultCounts().get('predicate') ?? 0;
  expect(retrySync(() => 1, { ...base, retryOnResult: rejects } as RetryOptions<number>)).toBe(1);
  await new Promise(setImmediate);
  expect(faultCounts().get('predicate')).toBe(before + 1);
});

it('a redactor that rejects hides the whole text, and is counted', async () => {
  const before = faultCounts().get('hook') ?? 0;
  setRedactor(rejects);
  try {
    expect(errorMessage(new Error('secret'))).toBe('[redaction failed]');
  } finally {
    setRedactor(undefined);
  }
  await new Promise(setImmediate);
  expect(faultCounts().get('hook')).toBe(before + 1);
});

describe('handleStrayPromise', () => {
  it.each([undefined, null, 0, 'x', {}, [], () => 1, { then: 5 }])('has nothing to do with %p', async value => {
    const before = new Map(faultCounts());
    expect(handleStrayPromise('hook', value)).toBe(false);
    await new Promise(setImmediate);
    expect(faultCounts()).toEqual(before);
  });

  it('counts what a promise rejects with, however hostile it is', async () => {
    const before = faultCounts().get('hook') ?? 0;
    const throwing = (): never => {
      throw new Error('hostile');
    };
    const promise = Object.assign(Promise.reject(new Error('x')), { catch: throwing });
    for (const value of [promise, { then: throwing }, { then: (_: unknown, reject: () => void) => reject() }]) {
      expect(handleStrayPromise('hook', value)).toBe(true);
    }
    expect(handleStrayPromise('hook', Promise.resolve(1))).toBe(true);
    await new Promise(setImmediate);
    expect(faultCounts().get('hook')).toBe(before + 3);
  });

  it('leaves a `then` that cannot be read to whoever guards the seam', async () => {
    const value = Object.defineProperty({}, 'then', {
      get: () => {
        throw new Error('hostile');
      },
    });
    const before = faultCounts().get('observer') ?? 0;
    expect(await outcomeOf(retry(() => 1, { observer: { call: () => value } }))).toEqual({ value: 1 });
    createPolicy({ operation: 'x', observer: { call: () => undefined, prepare: () => value as never } });
    expect(faultCounts().get('observer')).toBe(before + 2);
  });
});
