// Defects of breakers and limits in use today. None of them may be ours.
import { Bulkhead, CircuitBreaker, type RetryOptions, retry, retrySummary } from '../../src/core.ts';
import { longestDelay } from '../../src/engine/jitter.ts';
import { createPolicy } from '../../src/engine/policy.ts';
import { FakeClock, recordCalls } from '../../src/testing/index.ts';
import { outcomeOf, settle } from '../support/settle.ts';

let clock: FakeClock;
let breaker: CircuitBreaker;
let base: RetryOptions;
beforeEach(() => {
  clock = new FakeClock();
  breaker = new CircuitBreaker({ clock });
  base = { clock, jitter: false, initialDelay: 100, breaker };
});

it('T26: a function that returns nothing at all is a success behind a breaker', async () => {
  expect(
    await settle(
      clock,
      retry(() => undefined, base),
    ),
  ).toEqual({ value: undefined });
  expect(breaker.state.calls.success).toBe(1);
});

it('T27: the timeout of one call aborts no other', async () => {
  const signals: AbortSignal[] = [];
  const hang = (): Promise<unknown> =>
    retry(
      ({ signal }) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
      { ...base, attemptTimeout: 50, maxAttempts: 1 },
    );
  const first = outcomeOf(hang());
  await clock.advance(30);
  const second = outcomeOf(hang());
  await clock.advance(20);
  expect(await first).toMatchObject({ error: { code: 'ERR_RETRY_ATTEMPT_TIMEOUT' } });
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  await clock.runAll();
  await second;
  expect(
    await settle(
      clock,
      retry(({ signal }) => signal.aborted, base),
    ),
  ).toEqual({ value: false });
});

it('T1: an abort while a call waits for an open circuit settles it at once', async () => {
  const controller = new AbortController();
  const waiting = new CircuitBreaker({ clock, whenOpen: 'wait' });
  waiting.trip(10_000);
  const work = jest.fn();
  const call = outcomeOf(retry(work, { ...base, breaker: waiting, signal: controller.signal }));
  await clock.advance(50);
  controller.abort('now');
  expect([await call, clock.elapsed, clock.pending, work.mock.calls.length]).toEqual([{ error: 'now' }, 50, 0, 0]);
});

it('a breaker of the user’s own that throws bars nobody', async () => {
  const down = (): never => {
    throw new Error('breaker');
  };
  const broken = { name: 'broken', whenOpen: 'stop', tryEnter: down, leave: down, openForMs: down } as const;
  const adaptive = { name: 'broken', admit: down, record: down };
  const call = retry(({ number }) => (number < 2 ? Promise.reject(new Error('x')) : number), {
    ...base,
    breaker: broken,
    adaptive,
  });
  expect(await settle(clock, call)).toEqual({ value: 2 });
});

it('a call that ends in the middle gives its permit back', async () => {
  breaker.trip(0);
  const controller = new AbortController();
  const call = outcomeOf(retry(() => new Promise(() => undefined), { ...base, signal: controller.signal }));
  await clock.advance(1);
  expect(breaker.state.at).toBe('half_open');
  expect(breaker.tryEnter()).toBeUndefined();
  controller.abort('gone');
  await call;
  expect(breaker.tryEnter()).toBeDefined();
});

it('T5: what goes through a bulkhead is told like everything else', async () => {
  const observer = recordCalls();
  const bulkhead = new Bulkhead({ limit: 1 });
  const call = retry(({ number }) => (number < 2 ? Promise.reject(new Error('x')) : number), {
    ...base,
    bulkhead,
    observer,
  });
  expect(await settle(clock, call)).toEqual({ value: 2 });
  expect(observer.calls[0]?.attempts.map(({ end }) => end?.outcome)).toEqual(['failure', 'success']);
});

it('T24: no delay is longer than a timer can keep', () => {
  const policy = createPolicy({ maxDelay: 2 ** 31 - 1, exponentialBase: 1000, maxAttempts: 100 });
  for (let previous = 1; previous < 1e300; previous *= 1000) {
    expect(longestDelay(policy, Math.min(previous, policy.maxDelay), previous)).toBeLessThanOrEqual(2 ** 31 - 1);
  }
  expect(() => createPolicy({ maxDelay: 2 ** 31 })).toThrow(RangeError);
});

it('T28: the first failure opens no circuit', async () => {
  await settle(
    clock,
    retry(() => Promise.reject(new Error('x')), { ...base, maxAttempts: 1 }),
  );
  expect(breaker.state.at).toBe('closed');
});

it('T29: a month of Retry-After is neither waited for nor cut short', async () => {
  const error = Object.assign(new Error('x'), { status: 429, headers: { 'retry-after': '2592000' } });
  const work = jest.fn(() => Promise.reject(error));
  expect(await settle(clock, retry(work, base))).toEqual({ error });
  expect([work.mock.calls.length, clock.elapsed]).toEqual([1, 0]);
  expect(retrySummary(error)).toMatchObject({ reason: 'not_retryable', retryAfterMs: 2_592_000_000 });
});

it('T34: a pushback of gRPC that cannot be understood means "do not retry"', async () => {
  const metadata = { get: (name: string) => (name === 'grpc-retry-pushback-ms' ? ['soon'] : []) };
  const error = Object.assign(new Error('x'), { code: 14, metadata });
  const work = jest.fn(() => Promise.reject(error));
  expect(await settle(clock, retry(work, base))).toEqual({ error });
  expect([work.mock.calls.length, clock.elapsed]).toEqual([1, 0]);
});
