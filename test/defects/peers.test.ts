// Each of these is a defect of a retry library in use today. None of them may be ours.
import { AsyncLocalStorage } from 'node:async_hooks';
import { type RetryOptions, retry, retrySummary, withRetry } from '../../src/core.ts';
import { longestDelay, pick, shortestDelay } from '../../src/engine/jitter.ts';
import { createPolicy } from '../../src/engine/policy.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { outcomeOf, settle } from '../support/settle.ts';

let clock: FakeClock;
let base: RetryOptions<never>;
beforeEach(() => {
  clock = new FakeClock();
  base = { clock, initialDelay: 500, jitter: false };
});
const failing = (): never => {
  throw new Error('down');
};

it('T1: an abort in the wait settles at once and makes no further call', async () => {
  const controller = new AbortController();
  const work = jest.fn(failing);
  const call = outcomeOf(retry(work, { ...base, signal: controller.signal }));
  await clock.advance(50);
  controller.abort('now');
  expect([await call, clock.elapsed, work.mock.calls.length]).toEqual([{ error: 'now' }, 50, 1]);
});

it('T2: a hook that throws does not turn a success into a failure', async () => {
  const observer = { call: () => ({ end: failing }) };
  await expect(retry(() => 'ok', { ...base, observer } as RetryOptions<string>)).resolves.toBe('ok');
});

it('T3: a hook that throws does not replace the error or end the retries', async () => {
  const error = new Error('real');
  const work = jest.fn(() => {
    throw error;
  });
  const result = await settle(clock, retry(work, { ...base, onRetry: failing, onStop: failing }));
  expect([result, work.mock.calls.length]).toEqual([{ error }, 3]);
});

it('T3: an async hook that rejects causes no unhandled rejection', async () => {
  const unhandled = jest.fn();
  process.on('unhandledRejection', unhandled);
  await settle(clock, retry(failing, { ...base, onRetry: (async () => failing()) as never }));
  await new Promise(resolve => setImmediate(resolve));
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

it('T4: every attempt runs in the async context of its own caller', async () => {
  const storage = new AsyncLocalStorage<number>();
  const seen: [number, number | undefined][] = [];
  const options = { initialDelay: 2, jitter: false, maxAttempts: 3 } as const;
  await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      storage.run(i, () =>
        retry(async ({ number }) => {
          seen.push([i, storage.getStore()]);
          if (number < 3) throw new Error('x');
        }, options),
      ),
    ),
  );
  expect(seen).toHaveLength(600);
  expect(seen.every(([i, store]) => i === store)).toBe(true);
});

it('T6: the base counts, whatever the jitter', () => {
  const policy = createPolicy({ exponentialBase: 3, initialDelay: 100, jitter: 'full' });
  expect([shortestDelay(policy, 900), longestDelay(policy, 900, 0)]).toEqual([0, 900]);
});

it.each([2 ** 31, Infinity, Number.NaN, -1])('T8: a delay of %d is refused and never becomes a burst', delay => {
  expect(() => createPolicy({ initialDelay: delay })).toThrow(RangeError);
  expect(() => createPolicy({ maxDelay: delay })).toThrow(RangeError);
  expect(() => createPolicy({ backoff: [delay] })).toThrow(RangeError);
});

it('T9: the caller’s abort is not reported as a timeout', async () => {
  const controller = new AbortController();
  const call = outcomeOf(
    retry(() => new Promise(() => undefined), { ...base, attemptTimeout: 10_000, signal: controller.signal } as never),
  );
  await clock.advance(10);
  controller.abort(new Error('mine'));
  expect(await call).toEqual({ error: new Error('mine') });
});

it('T10: the signal of an attempt does not abort after its success', async () => {
  let signal: AbortSignal | undefined;
  await retry(
    attempt => {
      signal = attempt.signal;
    },
    { ...base, attemptTimeout: 100 } as RetryOptions<void>,
  );
  await clock.advance(1000);
  expect(signal?.aborted).toBe(false);
});

it('T12: the defaults end, and wait', async () => {
  const { maxAttempts, initialDelay } = createPolicy({});
  expect([maxAttempts, initialDelay]).toEqual([3, 1000]);
});

it('T14: clients that reached the cap do not all wait exactly the cap', () => {
  const terms = createPolicy({ maxDelay: 4000 });
  const drawn = [0, 0.25, 0.5, 0.75].map(random =>
    pick(shortestDelay(terms, 4000), longestDelay(terms, 4000, 0), random),
  );
  expect(drawn).toEqual([2000, 2500, 3000, 3500]);
});

it('T16: a TypeError is retried on request, and a thrown string stays one', async () => {
  const work = jest.fn(() => {
    throw new TypeError('x');
  });
  await settle(clock, retry(work, { ...base, retryOn: TypeError }));
  expect(work).toHaveBeenCalledTimes(3);
  const text = await settle(
    clock,
    retry(() => Promise.reject('text'), base),
  );
  expect(text).toEqual({ error: 'text' });
});

it('T17: an AbortError of somebody else is not retried', async () => {
  const work = jest.fn(() => Promise.reject(new DOMException('x', 'AbortError')));
  await settle(clock, retry(work, base));
  expect(work).toHaveBeenCalledTimes(1);
});

it('T18: a delay of 0 does not block the event loop', async () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort('stop'), 5);
  const options = { initialDelay: 0, maxAttempts: Infinity, signal: controller.signal };
  await expect(retry(failing, options)).rejects.toBe('stop');
});

it('T19: throwing undefined settles the call', async () => {
  expect(
    await settle(
      clock,
      retry(() => Promise.reject(undefined), base),
    ),
  ).toEqual({ error: undefined });
});

it('T20: nothing is called after the call has settled', async () => {
  const work = jest.fn(() => Promise.reject(Object.assign(new Error('x'), { retryable: false })));
  await settle(clock, retry(work, base));
  await clock.advance(1e6);
  expect(work).toHaveBeenCalledTimes(1);
});

it('T21: the last error is thrown, not the most frequent one', async () => {
  const result = await settle(
    clock,
    retry(({ number }) => Promise.reject(['A', 'A', 'B', 'C'][number - 1]), { ...base, maxAttempts: 4 }),
  );
  expect(result).toEqual({ error: 'C' });
});

it('T22: very many attempts cost no memory beforehand', () => {
  expect(createPolicy({ maxAttempts: Number.MAX_SAFE_INTEGER }).maxAttempts).toBe(Number.MAX_SAFE_INTEGER);
});

it('T23: the options are not touched', async () => {
  const options = Object.freeze({ maxAttempts: 2, clock });
  await settle(clock, retry(failing, options));
  expect(Object.keys(options)).toEqual(['maxAttempts', 'clock']);
});

it('T25: the caller’s frames are in the stack of a later attempt', async () => {
  async function theCaller(): Promise<void> {
    await retry(
      async ({ number }) => {
        await Promise.resolve();
        throw new Error(`attempt ${number}`);
      },
      { initialDelay: 0, maxAttempts: 2 },
    );
  }
  const error = await theCaller().catch((thrown: Error) => thrown);
  expect(error?.stack).toContain('theCaller');
});

it('T26: a synchronous undefined is a result', async () => {
  await expect(withRetry(() => undefined)()).resolves.toBeUndefined();
});

it('T27: the timeout of one call aborts no other', async () => {
  const options = { ...base, attemptTimeout: 100, maxAttempts: 1 } as RetryOptions<unknown>;
  let other: AbortSignal | undefined;
  const hung = outcomeOf(retry(() => new Promise(() => undefined), options));
  await clock.advance(50);
  const fine = outcomeOf(
    retry(attempt => {
      other = attempt.signal;
      return new Promise(resolve => clock.timer(80, () => resolve('ok')));
    }, options),
  );
  await clock.advance(100);
  expect([await hung, await fine, other?.aborted]).toEqual([
    expect.objectContaining({ error: expect.anything() }),
    { value: 'ok' },
    false,
  ]);
});

it('T30: a server is never asked again earlier than it said', async () => {
  const busy = Object.assign(new Error('busy'), { headers: { 'retry-after': '90' } });
  const work = jest.fn(() => Promise.reject(busy));
  await settle(clock, retry(work, { ...base, maxDelay: 200 }));
  expect(work).toHaveBeenCalledTimes(1);
  expect(retrySummary(busy)).toMatchObject({ reason: 'not_retryable', retryAfterMs: 90_000 });
});

it('T31: a synchronous throw in a later attempt is no uncaught exception', async () => {
  const work = jest.fn(failing);
  expect(await settle(clock, retry(work, base))).toMatchObject({ error: { message: 'down' } });
});

it('T35: the time left is never negative', async () => {
  const work = jest.fn(async () => {
    await clock.sleep(600, undefined, 'ref');
    throw new Error('x');
  });
  await settle(clock, retry(work, { ...base, maxElapsed: 1000 }));
  expect(work).toHaveBeenCalledTimes(1);
});

it('T36: running out of time does not replace the error of the last attempt', async () => {
  const error = Object.assign(new Error('x'), { code: 14 });
  expect(
    await settle(
      clock,
      retry(() => Promise.reject(error), { ...base, maxElapsed: 600 }),
    ),
  ).toEqual({ error });
});

it('T37: onRetry is called before the wait', async () => {
  const calledAt: number[] = [];
  await settle(clock, retry(failing, { ...base, maxAttempts: 2, onRetry: () => calledAt.push(clock.elapsed) }));
  expect(calledAt).toEqual([0]);
});

it('a blocked event loop is noticed: no attempt starts after maxElapsed', async () => {
  const work = jest.fn(failing);
  const late = {
    ...clock,
    now: () => clock.now(),
    wallNow: () => 0,
    random: () => 0,
    timer: clock.timer.bind(clock),
    block: () => undefined,
    sleep: async () => void (await clock.advance(5000)),
  };
  await outcomeOf(retry(work, { ...base, clock: late as never, maxElapsed: 2000 }));
  expect(work).toHaveBeenCalledTimes(1);
});

it('an error’s stack and message are never changed', async () => {
  const error = new Error('x');
  const { stack } = error;
  await settle(
    clock,
    retry(() => Promise.reject(error), base),
  );
  expect([error.stack, error.message, Reflect.ownKeys(error)]).toEqual([stack, 'x', ['stack', 'message']]);
});
