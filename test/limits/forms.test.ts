import {
  AcceptThrottle,
  Bulkhead,
  CircuitBreaker,
  CubicRate,
  DeadlineExceededError,
  RetryBudget,
  type RetryOptions,
  retrySummary,
  WindowBudget,
} from '../../src/core.ts';
import { FakeClock, recordCalls } from '../../src/testing/index.ts';
import { FORMS } from '../support/forms.ts';
import { settle } from '../support/settle.ts';

const down = (): never => {
  throw new Error('down');
};

describe.each(FORMS.map(form => [form.name, form] as const))('%s', (_name, form) => {
  let clock: FakeClock;
  let base: RetryOptions<never>;
  beforeEach(() => {
    clock = new FakeClock();
    base = { clock, jitter: false, initialDelay: 100, operation: 'op' };
  });
  const run = async (work: () => unknown, options: object): Promise<{ value?: unknown; error?: unknown }> =>
    settle(clock, form.run(work, { ...base, ...options } as RetryOptions<unknown>));

  it('asks the budget before the wait, and stops with the error when it says no', async () => {
    const budget = new RetryBudget({ capacity: 1 });
    const work = jest.fn(down);
    const observer = recordCalls();
    const { error } = await run(work, { budget, observer });
    expect(work).toHaveBeenCalledTimes(2);
    expect(clock.sleeps).toEqual([100]);
    expect(error).toMatchObject({ message: 'down' });
    expect(retrySummary(error)?.reason).toBe('budget_exhausted');
    expect(observer.calls[0]?.attempts.map(({ end }) => end)).toMatchObject([
      { next: 'retry' },
      { next: 'budget_exhausted', nextDelayMs: 0 },
    ]);
    expect(observer.calls[0]?.end).toMatchObject({ reason: 'budget_exhausted', budgetTokens: 0 });
  });

  it('asks no budget after the last attempt, or for an error that is not retried', async () => {
    const budget = new RetryBudget();
    await run(down, { budget, maxAttempts: 1 });
    await run(() => Promise.reject(new TypeError('bug')), { budget, ...(form.kind === 'sync' && { retryOn: 'X' }) });
    expect(budget.state).toMatchObject({ balance: 10, granted: 0, denied: 0 });
  });

  it('funds the budget with calls and successes', async () => {
    const budget = new RetryBudget({ initial: 0 });
    const window = new WindowBudget({ clock });
    for (let i = 0; i < 10; i++) await run(() => 1, { budget });
    for (let i = 0; i < 10; i++) await run(down, { budget: window, maxAttempts: 1 });
    expect([budget.balance(), window.balance()]).toEqual([1, 2]);
  });

  it('tells the breaker of every attempt, and stops when the circuit opens', async () => {
    const breaker = new CircuitBreaker({ trip: { kind: 'consecutive', failures: 2 }, clock });
    const work = jest.fn(down);
    const { error } = await run(work, { breaker, maxAttempts: 5 });
    expect(work).toHaveBeenCalledTimes(2);
    expect(error).toMatchObject({ message: 'down' });
    expect(retrySummary(error)).toMatchObject({ reason: 'circuit_open', attempts: 2 });
    expect(breaker.state).toMatchObject({ at: 'open', calls: { failure: 2, rejected: 0 } });
  });

  it('makes no attempt through an open circuit, and says so with an error of its own', async () => {
    const breaker = new CircuitBreaker({ name: 'ledger', clock });
    breaker.trip(5000);
    const work = jest.fn(down);
    const { error } = await run(work, { breaker });
    expect(work).not.toHaveBeenCalled();
    expect(error).toMatchObject({
      name: 'CircuitOpenError',
      code: 'ERR_RETRY_CIRCUIT_OPEN',
      breaker: 'ledger',
      openForMs: 5000,
    });
    expect(retrySummary(error)).toMatchObject({ reason: 'circuit_open', attempts: 0, errors: [] });
  });

  it('waits for an open circuit if asked to, as long as the call has time', async () => {
    const breaker = new CircuitBreaker({ whenOpen: 'wait', clock });
    breaker.trip(5000);
    expect(await run(() => 'ok', { breaker })).toEqual({ value: 'ok' });
    expect([clock.elapsed, breaker.state.at]).toEqual([5000, 'closed']);
    breaker.trip(5000);
    const { error } = await run(() => 'ok', { breaker, maxElapsed: 4000 });
    expect(retrySummary(error)?.reason).toBe('deadline_exceeded');
    expect(clock.elapsed).toBe(5000);
  });

  it('waits for a circuit that opens between attempts if asked to, or no longer than without one', async () => {
    const once = (): (() => string) => {
      let attempts = 0;
      return () => (++attempts < 2 ? down() : 'ok');
    };
    const opening = (whenOpen: 'stop' | 'wait', openMs: number): CircuitBreaker =>
      new CircuitBreaker({ trip: { kind: 'consecutive', failures: 1 }, openMs, whenOpen, clock });
    expect(await run(once(), { breaker: opening('wait', 5000) })).toEqual({ value: 'ok' });
    expect(clock.sleeps.splice(0)).toEqual([5000]);
    expect(await run(once(), { breaker: opening('stop', 100) })).toEqual({ value: 'ok' });
    expect(clock.sleeps.splice(0)).toEqual([100]);
    const { error } = await run(once(), { breaker: opening('stop', 101) });
    expect(retrySummary(error)).toMatchObject({ reason: 'circuit_open', attempts: 1, totalDelayMs: 0 });
  });

  it('takes an error that will not change as a sign of health, and an abort as none', async () => {
    const breaker = new CircuitBreaker({ trip: { kind: 'consecutive', failures: 1 }, clock });
    await run(() => (form.kind === 'sync' ? thrown({ status: 404 }) : Promise.reject({ status: 404 })), { breaker });
    expect(breaker.state).toMatchObject({ at: 'closed', calls: { success: 1 } });
    await run(() => thrown(Object.assign(new Error('a'), { name: 'AbortError' })), { breaker });
    expect(breaker.state).toMatchObject({ at: 'closed', calls: { success: 1, ignored: 1 } });
  });

  it('waits for the adaptive limit, and stops when that refuses', async () => {
    const waits = [250, 0, undefined];
    const results: string[] = [];
    const adaptive = {
      name: 'pool',
      admit: () => waits.shift(),
      record: (result: string) => void results.push(result),
    };
    const { error } = await run(down, { adaptive, maxAttempts: 5 });
    expect(clock.sleeps).toEqual([250, 100, 200]);
    expect(results).toEqual(['failure', 'failure']);
    expect(retrySummary(error)).toMatchObject({ reason: 'budget_exhausted', attempts: 2, totalDelayMs: 550 });
    const refused = await run(down, { adaptive: { ...adaptive, admit: () => undefined } });
    expect(refused.error).toMatchObject({
      code: 'ERR_RETRY_RATE_LIMITED',
      message: 'The adaptive limit "pool" refused the attempt',
    });
  });

  it('tells the adaptive limit what was throttled', async () => {
    const record = jest.fn();
    await run(() => thrown({ status: 429 }), { adaptive: { name: 'x', admit: () => 0, record }, maxAttempts: 1 });
    expect(record.mock.calls).toEqual([['throttled']]);
    for (const adaptive of [new CubicRate({ clock }), new AcceptThrottle({ clock })]) {
      expect(await run(() => 1, { adaptive })).toEqual({ value: 1 });
    }
  });

  it('does not start an attempt or a wait beyond its deadline', async () => {
    const work = jest.fn(down);
    const { error } = await run(work, { deadline: clock.wallNow() + 250 });
    expect([work.mock.calls.length, clock.elapsed]).toEqual([2, 100]);
    expect(retrySummary(error)?.reason).toBe('deadline_exceeded');
    const late = await run(work, { deadline: new Date(clock.wallNow()) });
    expect(late.error).toBeInstanceOf(DeadlineExceededError);
    expect(retrySummary(late.error)).toMatchObject({ reason: 'deadline_exceeded', attempts: 0 });
    expect(work).toHaveBeenCalledTimes(2);
  });

  it('holds the earlier one of deadline and maxElapsed', async () => {
    const atOnce = { error: expect.anything() };
    expect(await run(down, { deadline: clock.wallNow() + 1e6, maxElapsed: 50 })).toEqual(atOnce);
    expect(await run(down, { deadline: clock.wallNow() + 50, maxElapsed: 1e6 })).toEqual(atOnce);
    expect(clock.elapsed).toBe(0);
  });

  it.each([
    ['NaN', Number.NaN, RangeError, 'deadline is NaN; it must be a valid Date or milliseconds since 1970'],
    ['an invalid Date', new Date('x'), RangeError, 'deadline is an object; it must be a valid Date'],
    ['a text', '2026-01-01', TypeError, 'deadline is "2026-01-01"; it must be a Date or milliseconds since 1970'],
  ])('refuses %s as a deadline', async (_what, deadline, type, message) => {
    const attempt = async (): Promise<unknown> => form.run(() => 1, { ...base, deadline } as RetryOptions<number>);
    await expect(attempt()).rejects.toThrow(type);
    await expect(attempt()).rejects.toThrow(message);
  });

  if (form.name !== 'attempts') {
    it('gives the fallback in place of the error', async () => {
      const seen: unknown[] = [];
      const fallback = (error: unknown, summary: object): string => {
        seen.push(error, summary);
        return 'cached';
      };
      expect(await run(down, { fallback })).toEqual({ value: 'cached' });
      expect(seen).toMatchObject([{ message: 'down' }, { attempts: 3, reason: 'attempts_exhausted' }]);
      expect(await run(down, { fallback: null })).toEqual({ value: null });
      expect(await run(() => 1, { fallback })).toEqual({ value: 1 });
    });

    it('gives the error, untouched, when the fallback fails', async () => {
      const { error } = await run(down, { fallback: () => thrown(new Error('no cache')) });
      expect(error).toMatchObject({ message: 'down' });
    });
  } else {
    it('has no place for a fallback', async () => {
      const { error } = await run(down, { fallback: 1 });
      expect(error).toMatchObject({
        message: expect.stringContaining('it must be left out for attempts: the loop has no value'),
      });
    });
  }

  it('leaves what was retried below', async () => {
    const work = jest.fn(down);
    const middle = (): unknown => form.run(work, base as RetryOptions<unknown>);
    if (form.kind === 'sync') return;
    const { error } = await run(middle, { maxAttempts: 4 });
    expect(work).toHaveBeenCalledTimes(3);
    expect(error).toMatchObject({ message: 'down' });
  });

  if (form.kind === 'async') {
    it('limits what runs at the same time', async () => {
      const bulkhead = new Bulkhead({ limit: 1, queue: 1 });
      const gate = Promise.withResolvers<string>();
      const first = form.run(() => gate.promise, { ...base, bulkhead } as RetryOptions<string>);
      const second = form.run(() => 'second', { ...base, bulkhead } as RetryOptions<string>);
      const third = run(() => 'third', { bulkhead, maxAttempts: 2 });
      expect((await third).error).toMatchObject({ code: 'ERR_RETRY_BULKHEAD_FULL' });
      expect(bulkhead.state).toEqual({ name: 'default', running: 1, queued: 1 });
      gate.resolve('first');
      expect(await Promise.all([first, second])).toEqual(['first', 'second']);
      expect(bulkhead.state).toEqual({ name: 'default', running: 0, queued: 0 });
    });
  } else {
    it('refuses a bulkhead', async () => {
      const { error } = await run(down, { bulkhead: new Bulkhead({ limit: 1 }) });
      expect(error).toMatchObject({
        name: 'TypeError',
        message: expect.stringContaining('bulkhead is an object; it must be left out'),
      });
    });
  }
});

function thrown(error: unknown): never {
  throw error;
}
