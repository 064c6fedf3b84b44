import {
  CircuitBreaker,
  faultCounts,
  LatencyHedge,
  RetryBudget,
  type RetryOptions,
  retry,
  retrySummary,
  retrySync,
} from '../../src/core.ts';
import { FakeClock, recordCalls } from '../../src/testing/index.ts';
import { outcomeOf, settle } from '../support/settle.ts';

let clock: FakeClock;
let base: RetryOptions;
let signals: AbortSignal[];
beforeEach(() => {
  clock = new FakeClock();
  base = { clock, jitter: false, initialDelay: 100, operation: 'op', hedge: 50 };
  signals = [];
});

/** A function whose attempts take so long, and then bring this; an Error is thrown. */
function taking(
  ...attempts: readonly [number, unknown][]
): (attempt: { number: number; signal: AbortSignal }) => Promise<unknown> {
  return async ({ number, signal }) => {
    signals.push(signal);
    const [ms, result] = attempts[number - 1] ?? [0, new Error('too many')];
    await clock.sleep(ms, signal, 'ref');
    if (result instanceof Error) throw result;
    return result;
  };
}

it('makes one attempt when it is fast enough', async () => {
  const observer = recordCalls();
  expect(await settle(clock, retry(taking([49, 'first']), { ...base, observer }))).toEqual({ value: 'first' });
  expect([signals.length, clock.elapsed, clock.pending]).toEqual([1, 49, 0]);
  expect(observer.calls[0]?.events).toEqual([]);
});

it('starts a second one beside a slow one, takes the faster and aborts the other', async () => {
  const observer = recordCalls();
  const work = taking([1000, 'first'], [30, 'second']);
  expect(await settle(clock, retry(work, { ...base, observer }))).toEqual({ value: 'second' });
  expect([clock.elapsed, clock.pending]).toEqual([80, 0]);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  expect(signals[0]?.reason).toMatchObject({ code: 'ERR_RETRY_HEDGE_LOST' });
  const [call] = observer.calls;
  expect(call?.attempts).toMatchObject([
    {
      info: { number: 1, delayMs: 0, delaySource: 'none' },
      end: { outcome: 'failure', durationMs: 80, errorClass: 'cancelled', next: 'hedge' },
    },
    { info: { number: 2, delayMs: 50, delaySource: 'hedge' }, end: { outcome: 'success', durationMs: 30 } },
  ]);
  expect(call?.events).toEqual([{ type: 'hedge_started', attempt: 1, nextAttempt: 2, delayMs: 50 }]);
  expect(call?.end).toMatchObject({ outcome: 'success', attempts: 2, durationMs: 80, totalDelayMs: 0 });
});

it('takes the first one after all if that is faster', async () => {
  const work = taking([60, 'first'], [1000, 'second']);
  expect(await settle(clock, retry(work, base))).toEqual({ value: 'first' });
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
  expect([clock.elapsed, clock.pending]).toEqual([60, 0]);
});

it('waits for the other one when one fails', async () => {
  const observer = recordCalls();
  const work = taking([60, new Error('one')], [100, 'second']);
  expect(await settle(clock, retry(work, { ...base, observer }))).toEqual({ value: 'second' });
  expect(observer.calls[0]?.attempts.map(({ end }) => end)).toMatchObject([
    { outcome: 'failure', next: 'hedge', errorClass: 'transient' },
    { outcome: 'success' },
  ]);
  expect(clock.elapsed).toBe(150);
});

it('retries when both fail, and remembers both errors', async () => {
  const [one, two, three] = [new Error('one'), new Error('two'), new Error('three')];
  const work = taking([60, one], [70, two], [0, three]);
  const result = await settle(clock, retry(work, base));
  expect(result).toEqual({ error: three });
  expect(retrySummary(three)).toMatchObject({ attempts: 3, errors: [one, two, three], reason: 'attempts_exhausted' });
  expect(clock.sleeps).toEqual([60, 70, 200, 0]);
});

it('gives up at once, and aborts the other, when one fails for good', async () => {
  const error = Object.assign(new Error('not found'), { status: 404 });
  const work = taking([1000, 'first'], [10, error]);
  expect(await settle(clock, retry(work, base))).toEqual({ error });
  expect([clock.elapsed, signals[0]?.aborted]).toEqual([60, true]);
  expect(retrySummary(error)?.reason).toBe('not_retryable');
});

it('makes no more attempts than the policy allows', async () => {
  const work = taking([100, 'first']);
  expect(await settle(clock, retry(work, { ...base, maxAttempts: 1 }))).toEqual({ value: 'first' });
  expect(signals).toHaveLength(1);
});

it('asks the budget and the breaker for the second attempt', async () => {
  const budget = new RetryBudget({ capacity: 1, ratio: 0 });
  const breaker = new CircuitBreaker({ clock, trip: { kind: 'consecutive', failures: 1 } });
  const work = (): Promise<unknown> => retry(taking([100, 'first'], [10, 'second']), { ...base, budget, breaker });
  expect(await settle(clock, work())).toEqual({ value: 'second' });
  expect([budget.balance(), breaker.state.calls]).toMatchObject([0, { success: 1, ignored: 1, failure: 0 }]);
  expect(await settle(clock, work())).toEqual({ value: 'first' });
  expect(budget.state).toMatchObject({ granted: 1, denied: 1 });
  const slow = outcomeOf(retry(taking([100, 'first'], [10, 'second']), { ...base, breaker }));
  await clock.advance(40);
  breaker.trip();
  await clock.runAll();
  expect(await slow).toEqual({ value: 'first' });
});

it('does not hedge when a budget that has to ask answers too late', async () => {
  const answer = Promise.withResolvers<number>();
  const budget = { name: 'slow', balance: () => 1, deposit: () => undefined, tryWithdraw: () => answer.promise };
  const call = outcomeOf(retry(taking([60, 'first'], [0, 'second']), { ...base, budget }));
  await clock.advance(60);
  answer.resolve(1);
  expect([await call, signals.length]).toEqual([{ value: 'first' }, 1]);
});

it('aborts both attempts when the caller aborts, and leaves nothing behind', async () => {
  const controller = new AbortController();
  const call = outcomeOf(retry(taking([1000, 1], [1000, 2]), { ...base, signal: controller.signal }));
  await clock.advance(100);
  controller.abort('enough');
  expect(await call).toEqual({ error: 'enough' });
  expect([signals.map(({ aborted }) => aborted), clock.pending]).toEqual([[true, true], 0]);
});

it('cuts each attempt at its own timeout', async () => {
  const work = taking([1000, 1], [1000, 2], [10, 'third']);
  const result = await settle(clock, retry(work, { ...base, attemptTimeout: 100 }));
  expect(result).toEqual({ value: 'third' });
  expect(clock.elapsed).toBe(150 + 200 + 10);
});

it('stops at the limit of the whole call', async () => {
  const result = await settle(clock, retry(taking([1000, 1], [1000, 2]), { ...base, maxElapsed: 200 }));
  expect(result).toMatchObject({ error: { code: 'ERR_RETRY_DEADLINE_EXCEEDED' } });
  expect([clock.elapsed, clock.pending]).toEqual([200, 0]);
});

it('is not for forms that make one attempt at a time', () => {
  expect(() => retrySync(() => 1, base)).toThrow('hedge is an object; it must be left out for retrySync');
  expect(() => retry(() => 1, { hedge: -1 })).toThrow('hedge is -1; it must be a number of milliseconds');
  expect(() => retry(() => 1, { hedge: 'fast' as never })).toThrow(TypeError);
});

it('does not hedge when its own measure throws or knows nothing', async () => {
  for (const delayMs of [
    () => undefined,
    () => Number.NaN,
    () => -5,
    () => {
      throw new Error('x');
    },
  ]) {
    signals = [];
    expect(await settle(clock, retry(taking([1000, 'first']), { ...base, hedge: { delayMs } }))).toEqual({
      value: 'first',
    });
    expect(signals).toHaveLength(1);
  }
});

it('tells of each attempt how it ended, whichever wins', async () => {
  const observer = recordCalls();
  const breaker = new CircuitBreaker({ clock });
  const ends = (): unknown[] =>
    observer.calls.at(-1)?.attempts.map(({ end }) => (end?.outcome === 'failure' ? end.next : end?.outcome)) ?? [];
  const notFound = Object.assign(new Error('x'), { status: 404 });
  await settle(clock, retry(taking([60, 'first'], [1000, 'second']), { ...base, observer, breaker }));
  expect(ends()).toEqual(['success', 'hedge']);
  expect(breaker.state.calls).toMatchObject({ success: 1, ignored: 1, failure: 0 });
  await settle(clock, retry(taking([100, 'first'], [10, new Error('x')]), { ...base, observer, breaker }));
  expect(ends()).toEqual(['success', 'hedge']);
  expect(breaker.state.calls).toMatchObject({ success: 2, ignored: 1, failure: 1 });
  await settle(clock, retry(taking([100, 'first'], [10, notFound]), { ...base, observer, breaker }));
  expect(ends()).toEqual(['hedge', 'not_retryable']);
  await settle(clock, retry(taking([60, notFound], [100, 'second']), { ...base, observer, breaker }));
  expect(ends()).toEqual(['not_retryable', 'hedge']);
  expect(breaker.state.calls).toMatchObject({ success: 4, ignored: 3, failure: 1 });
});

it('tells of both attempts when the caller aborts', async () => {
  const observer = recordCalls();
  const controller = new AbortController();
  const work = taking([1000, 1], [1000, 2]);
  const call = outcomeOf(retry(work, { ...base, observer, signal: controller.signal }));
  await clock.advance(100);
  controller.abort('enough');
  await call;
  expect(observer.calls[0]?.attempts.map(({ end }) => end)).toMatchObject([{ next: 'aborted' }, { next: 'hedge' }]);
  expect(observer.calls[0]?.end).toMatchObject({ reason: 'aborted', attempts: 2 });
});

it('knows what kind of failure one of two was', async () => {
  const observer = recordCalls();
  const classes = (): unknown =>
    observer.calls.at(-1)?.attempts.map(({ end }) => end?.outcome === 'failure' && end.errorClass);
  const throttled = Object.assign(new Error('x'), { status: 429 });
  await settle(clock, retry(taking([60, throttled], [100, 'second']), { ...base, observer }));
  expect(classes()).toEqual(['throttled', false]);
  const retryOn = async (): Promise<boolean> => true;
  await settle(clock, retry(taking([60, throttled], [100, 'second']), { ...base, observer, retryOn }));
  expect(classes()).toEqual(['transient', false]);
});

it('asks the limits for the attempt that it wants to start, and gives back what it does not use', async () => {
  const admit = jest.fn(() => 0);
  const record = jest.fn();
  const breaker = new CircuitBreaker({ clock });
  const budget = new RetryBudget({ initial: 0 });
  const adaptive = { name: 'x', admit, record };
  await settle(clock, retry(taking([100, 'first']), { ...base, adaptive, budget, breaker }));
  expect(admit.mock.calls).toEqual([[1], [2]]);
  expect(record.mock.calls).toEqual([['ignored'], ['success']]);
  expect(breaker.state.calls).toMatchObject({ ignored: 1, success: 1 });
});

it('hedges when a budget that has to ask answers in time', async () => {
  const budget = { name: 'x', balance: () => 1, deposit: () => undefined, tryWithdraw: async () => 1 };
  expect(await settle(clock, retry(taking([100, 'first'], [10, 'second']), { ...base, budget }))).toEqual({
    value: 'second',
  });
});

it('hedges at once with a delay of 0', async () => {
  expect(await settle(clock, retry(taking([10, 'first'], [5, 'second']), { ...base, hedge: 0 }))).toEqual({
    value: 'second',
  });
});

it('survives a measure that throws', async () => {
  const before = faultCounts().get('limit') ?? 0;
  const hedge = {
    delayMs: () => 50,
    record: () => {
      throw new Error('x');
    },
  };
  expect(await settle(clock, retry(taking([10, 'first']), { ...base, hedge }))).toEqual({ value: 'first' });
  expect(await settle(clock, retry(taking([10, 'first']), { ...base, hedge: { delayMs: () => 50 } }))).toEqual({
    value: 'first',
  });
  expect(faultCounts().get('limit')).toBe(before + 1);
});

describe('LatencyHedge', () => {
  it('waits as long as most attempts take', () => {
    const hedge = new LatencyHedge({ percentile: 0.9 });
    for (let i = 1; i <= 19; i++) hedge.record(i);
    expect(hedge.delayMs()).toBeUndefined();
    for (let i = 20; i <= 100; i++) hedge.record(i);
    expect(hedge.delayMs()).toBeGreaterThanOrEqual(90);
    expect(hedge.delayMs()).toBeLessThan(90 * 1.1 * 1.1);
  });

  it('forgets slowly', () => {
    const hedge = new LatencyHedge();
    for (let i = 0; i < 1000; i++) hedge.record(1000);
    expect(hedge.delayMs()).toBeGreaterThan(900);
    for (let i = 0; i < 20_000; i++) hedge.record(10);
    expect(hedge.delayMs()).toBeLessThan(12);
  });

  it('takes any duration', () => {
    const hedge = new LatencyHedge({ minSamples: 1, minDelayMs: 5 });
    hedge.record(Number.NaN);
    hedge.record(0);
    expect(hedge.delayMs()).toBe(5);
    for (let i = 0; i < 100; i++) hedge.record(1e15);
    expect(hedge.delayMs()).toBeGreaterThan(3_600_000);
  });

  it('learns from the calls that it serves', async () => {
    const hedge = new LatencyHedge({ minSamples: 3 });
    for (let i = 0; i < 3; i++) await settle(clock, retry(taking([20, 1]), { ...base, hedge }));
    const start = clock.elapsed;
    expect(await settle(clock, retry(taking([1000, 1], [5, 'second']), { ...base, hedge }))).toEqual({
      value: 'second',
    });
    expect(clock.elapsed - start).toBeLessThan(30);
  });

  it.each([
    [{ percentile: 1 }, 'percentile is 1'],
    [{ minSamples: 0 }, 'minSamples is 0'],
    [{ minDelayMs: -1 }, 'minDelayMs is -1'],
  ])('refuses %j', (options, message) => {
    expect(() => new LatencyHedge(options)).toThrow(message);
  });
});
