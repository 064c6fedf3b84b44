import * as fc from 'fast-check';
import {
  AwsBudget,
  type Budget,
  CountedBudget,
  faultCounts,
  GrpcBudget,
  RetryBudget,
  type RetryOptions,
  retry,
  retrySummary,
  retrySync,
  WindowBudget,
} from '../../src/core.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { outcomeOf, settle } from '../support/settle.ts';

const down = (): never => {
  throw new Error('down');
};

describe('RetryBudget', () => {
  it('grants its ratio of the successes, at most one away, for any ratio', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.0001, max: 2, noNaN: true }), ratio => {
        const budget = new RetryBudget({ ratio, initial: 0 });
        let granted = 0;
        for (let i = 0; i < 10_000; i++) {
          budget.deposit('success');
          while (budget.tryWithdraw() !== undefined) granted++;
        }
        return Math.abs(granted - 10_000 * ratio) <= 1;
      }),
      { numRuns: 60 },
    );
  });

  it.each([0.1, 0.3, 0.7, 0.0001, 1 / 3, 1.1])('never drifts: a ratio of %d over a million successes', ratio => {
    const budget = new RetryBudget({ ratio, initial: 0, capacity: 2 });
    let granted = 0;
    for (let i = 0; i < 1_000_000; i++) {
      budget.deposit('success');
      while (budget.tryWithdraw() !== undefined) granted++;
    }
    expect(Math.abs(granted - 1_000_000 * ratio)).toBeLessThanOrEqual(1);
  });

  it('never holds less than nothing or more than its capacity, and never grants what it does not hold', () => {
    const steps = fc.array(fc.constantFrom('success', 'call', 'transient', 'throttled'), { maxLength: 300 });
    const options = fc.record({
      ratio: fc.double({ min: 0, max: 3, noNaN: true }),
      capacity: fc.double({ min: 0, max: 20, noNaN: true }),
      initial: fc.double({ min: 0, max: 30, noNaN: true }),
      cost: fc.record({
        transient: fc.double({ min: 0, max: 5, noNaN: true }),
        throttled: fc.double({ min: 0, max: 5, noNaN: true }),
      }),
    });
    fc.assert(
      fc.property(options, steps, (given, all) => {
        const budget = new RetryBudget(given);
        for (const step of all) {
          const before = budget.balance();
          if (step === 'success' || step === 'call') {
            budget.deposit(step);
            if (step === 'call' && budget.balance() !== before) return false;
          } else {
            const cost = budget.tryWithdraw(step as 'transient') as number | undefined;
            if (Math.abs(before - (cost ?? 0) - budget.balance()) > 1e-6) return false;
          }
          if (budget.balance() < 0 || budget.balance() > budget.capacity + 1e-9) return false;
        }
        return true;
      }),
    );
  });

  it('tells what it holds and has answered', () => {
    const budget = new RetryBudget({ name: 'payments', capacity: 1, ratio: 0.5 });
    for (let i = 0; i < 3; i++) budget.tryWithdraw();
    budget.deposit('success');
    expect(budget.state).toEqual({
      name: 'payments',
      balance: 0.5,
      capacity: 1,
      mode: 'local',
      granted: 1,
      denied: 2,
    });
    expect(new RetryBudget().state).toMatchObject({ name: 'default', balance: 10, capacity: 10 });
  });

  it('takes what each kind of failure costs', () => {
    const budget = new RetryBudget({ cost: { transient: 2, throttled: 5, timeout: 3 } });
    expect([
      budget.tryWithdraw('throttled'),
      budget.tryWithdraw('transient', new Error('x')),
      budget.tryWithdraw('transient', { code: 'ERR_RETRY_ATTEMPT_TIMEOUT' }),
      budget.balance(),
    ]).toEqual([5, 2, 3, 0]);
    const cheap = new RetryBudget({ cost: { throttled: 0 }, capacity: 1 });
    expect([cheap.tryWithdraw('throttled'), cheap.tryWithdraw('transient'), cheap.tryWithdraw()]).toEqual([
      0,
      1,
      undefined,
    ]);
  });

  it('bounds the retries of all policies that share it', async () => {
    const clock = new FakeClock();
    const budget = new RetryBudget({ capacity: 3, ratio: 0 });
    let attempts = 0;
    const work = (): never => {
      attempts++;
      return down();
    };
    const calls = Array.from({ length: 50 }, (_, i) =>
      outcomeOf(retry(work, { clock, budget, operation: `operation_${i % 3}`, maxAttempts: 1 + (i % 4) })),
    );
    await clock.runAll();
    await Promise.all(calls);
    expect(attempts).toBe(53);
  });
});

describe('wrong options', () => {
  it.each<[string, () => unknown, typeof Error, string]>([
    ['ratio', () => new RetryBudget({ ratio: -1 }), RangeError, 'ratio is -1; it must be a number from 0 to 1000'],
    ['NaN', () => new RetryBudget({ ratio: Number.NaN }), RangeError, 'ratio is NaN'],
    ['capacity', () => new RetryBudget({ capacity: '5' as never }), TypeError, 'capacity is "5"; it must be a number'],
    ['name', () => new RetryBudget({ name: '' }), RangeError, 'name is ""; it must be a string of 1 to 200 characters'],
    ['typing', () => new RetryBudget({ capactiy: 5 } as never), TypeError, 'did you mean "capacity"?'],
    ['cost', () => new RetryBudget({ cost: -1 }), RangeError, 'cost is -1'],
    ['cost of a class', () => new RetryBudget({ cost: { transient: -1 } }), RangeError, 'cost.transient is -1'],
    [
      'class',
      () => new RetryBudget({ cost: { permanent: 1 } as never }),
      TypeError,
      '"cost.permanent" is not an option',
    ],
    [
      'kind of cost',
      () => new RetryBudget({ cost: 'low' as never }),
      TypeError,
      'cost is "low"; it must be a number of',
    ],
    ['null', () => new RetryBudget(null as never), TypeError, 'budget options are null; they must be an object'],
    ['window', () => new WindowBudget({ windowMs: 0 }), RangeError, 'windowMs is 0; it must be a number from 1000'],
    ['long window', () => new WindowBudget({ windowMs: 61_000 }), RangeError, 'windowMs is 61000'],
    ['floor', () => new WindowBudget({ minPerSecond: -1 }), RangeError, 'minPerSecond is -1'],
    ['window ratio', () => new WindowBudget({ ratio: -1 }), RangeError, 'ratio is -1'],
    ['clock', () => new WindowBudget({ clock: {} as never }), TypeError, 'clock is an object; it must be a Clock'],
    ['maxTokens', () => new GrpcBudget({ maxTokens: 0 }), RangeError, 'maxTokens is 0; it must be an integer from 1'],
    ['half a token', () => new GrpcBudget({ maxTokens: 1.5 }), RangeError, 'maxTokens is 1.5'],
    ['tokenRatio', () => new GrpcBudget({ tokenRatio: 0 }), RangeError, 'tokenRatio is 0'],
    ['quota', () => new AwsBudget({ capacity: Infinity }), RangeError, 'capacity is Infinity'],
    [
      'policy',
      () => retry(() => 1, { budget: {} as never }),
      TypeError,
      'budget is an object; it must be a RetryBudget',
    ],
  ])('%s', (_what, make, type, message) => {
    expect(make).toThrow(type);
    expect(make).toThrow(message);
  });
});

describe('a budget of the user’s own', () => {
  let clock: FakeClock;
  let base: RetryOptions;
  beforeEach(() => {
    clock = new FakeClock();
    base = { clock, jitter: false, initialDelay: 100, operation: 'op' };
  });
  const own = (tryWithdraw: Budget['tryWithdraw'], rest: Partial<Budget> = {}): Budget => ({
    name: 'own',
    balance: () => 1,
    deposit: () => undefined,
    tryWithdraw,
    ...rest,
  });
  const reasonOf = (result: { error?: unknown }): unknown => retrySummary(result.error)?.reason;

  it('may answer later', async () => {
    const answers = [1, undefined];
    const budget = own(async () => answers.shift());
    const result = await settle(clock, retry(down, { ...base, budget }));
    expect([reasonOf(result as never), clock.sleeps]).toEqual(['budget_exhausted', [100]]);
  });

  it('is not waited for once the caller has aborted, or the time is up', async () => {
    const budget = own(() => new Promise(() => undefined));
    const controller = new AbortController();
    const aborted = outcomeOf(retry(down, { ...base, budget, signal: controller.signal }));
    await clock.advance(10);
    controller.abort('enough');
    expect(await aborted).toEqual({ error: 'enough' });
    const timed = await settle(clock, retry(down, { ...base, budget, maxElapsed: 1000 }));
    expect(reasonOf(timed as never)).toBe('deadline_exceeded');
  });

  it('grants nothing when it throws or rejects, and its fault is counted', async () => {
    const before = faultCounts().get('limit') ?? 0;
    for (const tryWithdraw of [down, async () => down()]) {
      const result = await settle(clock, retry(down, { ...base, budget: own(tryWithdraw) }));
      expect(reasonOf(result as never)).toBe('budget_exhausted');
    }
    const broken = own(() => 1, { deposit: down, balance: down, charge: down });
    const result = await settle(clock, retry(down, { ...base, budget: broken }));
    expect(reasonOf(result as never)).toBe('attempts_exhausted');
    expect(faultCounts().get('limit')).toBeGreaterThan(before + 4);
  });

  it('grants nothing to the synchronous form when it has to ask elsewhere', () => {
    const budget = own(async () => 1);
    expect(() => retrySync(down, { ...base, budget })).toThrow('down');
    expect(clock.sleeps).toEqual([]);
  });

  it('is told of successes with what their last retry cost', async () => {
    const deposit = jest.fn();
    const budget = own(() => 7, { deposit });
    await settle(
      clock,
      retry(({ number }) => (number < 2 ? down() : 1), { ...base, budget }),
    );
    await retry(() => 1, { ...base, budget });
    expect(deposit.mock.calls).toEqual([
      ['call', 0],
      ['success', 7],
      ['call', 0],
      ['success', 0],
    ]);
  });

  it('can be built on the base of ours, and is then shown like them', async () => {
    class Coin extends CountedBudget {
      readonly capacity = 1;
      balance = (): number => 1;
      deposit(): void {}
      protected take(): number | undefined | Promise<number | undefined> {
        return Promise.resolve(clock.random() < 0.5 ? 1 : undefined);
      }
    }
    const coin = new Coin('coin');
    clock.nextRandom = 0.9;
    await expect(coin.tryWithdraw()).resolves.toBeUndefined();
    clock.nextRandom = 0.1;
    await expect(coin.tryWithdraw()).resolves.toBe(1);
    expect(coin.state).toMatchObject({ granted: 1, denied: 1 });
  });
});
