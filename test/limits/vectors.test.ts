import {
  AcceptThrottle,
  AwsBudget,
  CubicRate,
  GrpcBudget,
  RetryBudget,
  retry,
  retrySummary,
  WindowBudget,
} from '../../src/core.ts';
import { refusalProbability } from '../../src/limits/accept-throttle.ts';
import { cubic, timeToReach } from '../../src/limits/cubic-rate.ts';
import { FakeClock } from '../../src/testing/index.ts';
import adaptive from '../vectors/adaptive.json' with { type: 'json' };
import budgets from '../vectors/budgets.json' with { type: 'json' };

describe('the throttle of gRPC', () => {
  it.each(budgets.grpc)('$name', ({ options, steps }) => {
    const budget = new GrpcBudget(options);
    for (const step of steps) {
      const [event, tokens, allowed] = step.split(' ');
      if (event === 'S') budget.deposit('success');
      else budget.charge();
      expect({ step, tokens: budget.balance() }).toEqual({ step, tokens: Number(tokens) });
      if (event === 'F') {
        expect({ step, answer: budget.tryWithdraw() }).toEqual({ step, answer: allowed === 'yes' ? 0 : undefined });
      }
    }
  });

  it('needs 51 successes to retry again from nothing', () => {
    const budget = new GrpcBudget();
    for (let i = 0; i < 20; i++) budget.charge();
    let successes = 0;
    while (budget.tryWithdraw() === undefined) {
      budget.deposit('success');
      successes++;
    }
    expect(successes).toBe(51);
  });
});

describe('the window of Finagle', () => {
  const take = (budget: WindowBudget, wanted: number): number => {
    let granted = 0;
    while (granted < wanted && budget.tryWithdraw() !== undefined) granted++;
    return granted;
  };

  it.each(budgets.finagle.steady)('grants $expected of 10,000 for $ratio and $minPerSecond/s', given => {
    const { expected, ...options } = given;
    const budget = new WindowBudget({ ...options, clock: new FakeClock() });
    let granted = 0;
    for (let i = 0; i < 10_000; i++) {
      budget.deposit('call');
      if (budget.tryWithdraw() !== undefined) granted++;
    }
    expect(Math.abs(granted - expected)).toBeLessThanOrEqual(1);
  });

  it('holds 20,000 after 10,000 calls at a ratio of 2', () => {
    const budget = new WindowBudget({ ratio: 2, windowMs: 60_000, clock: new FakeClock() });
    for (let i = 0; i < 10_000; i++) budget.deposit('call');
    expect(budget.balance()).toBe(20_000);
  });

  it('spends its floor at once, and then is silent for the window', async () => {
    const { minPerSecond, granted, silentMs, againMs } = budgets.finagle.burst;
    const clock = new FakeClock();
    const budget = new WindowBudget({ minPerSecond, clock });
    expect([budget.capacity, take(budget, 1000)]).toEqual([granted, granted]);
    for (const at of silentMs) {
      await clock.advance(at - clock.elapsed);
      expect([at, take(budget, 1000)]).toEqual([at, 0]);
    }
    await clock.advance(againMs - clock.elapsed);
    expect(take(budget, 1000)).toBe(granted);
  });

  it.each(budgets.finagle.lifetime)(
    'keeps a deposit until $usableUntilMs when polled every $polledEveryMs ms',
    async given => {
      const clock = new FakeClock();
      const budget = new WindowBudget({ clock });
      for (let i = 0; i < 5; i++) budget.deposit('call');
      let usableUntil = 0;
      for (let at = 0; at <= 12_000; at += given.polledEveryMs) {
        await clock.advance(at - clock.elapsed);
        if (budget.balance() >= 1) usableUntil = at;
      }
      expect(usableUntil).toBe(given.usableUntilMs);
      expect(budget.tryWithdraw()).toBeUndefined();
    },
  );

  it('is the leaky bucket that it is built on', async () => {
    const clock = new FakeClock();
    const budget = new WindowBudget({ ratio: 1, windowMs: 3000, clock });
    for (const { atMs, put, get, granted } of budgets.finagle.leakyBucket) {
      await clock.advance(atMs - clock.elapsed);
      for (let i = 0; i < put; i++) budget.deposit('call');
      expect(take(budget, get)).toBe(granted);
    }
  });

  it('grants nothing without a floor and a ratio', () => {
    const budget = new WindowBudget({ ratio: 0, clock: new FakeClock() });
    for (let i = 0; i < 1000; i++) budget.deposit('call');
    expect(budget.tryWithdraw()).toBeUndefined();
  });
});

describe.each([
  ['2026', budgets.aws['2026'], { transient: 50, throttled: 1000 }, (initial: number) => new AwsBudget({ initial })],
  [
    'classic',
    budgets.aws.classic,
    { transient: 1000, throttled: 1000 },
    (initial: number) => AwsBudget.classic({ initial }),
  ],
] as const)('the quota of the AWS SDKs, %s', (_edition, cases, base, create) => {
  it.each(cases)('$name', async ({ answers, steps, ...given }) => {
    const { initial = 500, maxAttempts = 3, maxDelay = 20_000 } = given as unknown as Partial<Record<string, number>>;
    const clock = new FakeClock();
    const budget = create(initial);
    const seen: object[] = [];
    const call = retry(
      ({ number }) => {
        const status = answers[number - 1] as number;
        if (status !== 200) throw Object.assign(new Error('answer'), { status });
        return status;
      },
      {
        clock,
        budget,
        maxAttempts,
        maxDelay,
        jitter: false,
        backoff: (attempt, error) =>
          ((error as { status: number }).status === 429 ? base.throttled : base.transient) * 2 ** (attempt - 1),
        onRetry: ({ delayMs }) => seen.push({ left: budget.balance(), delayMs }),
      },
    ).then(
      () => seen.push({ left: budget.balance(), outcome: 'success' }),
      error => seen.push({ left: budget.balance(), outcome: retrySummary(error)?.reason }),
    );
    await clock.runAll();
    await call;
    expect(seen).toEqual(steps);
  });
});

describe('a total outage', () => {
  it.each(budgets.aws.totalOutage)('is met with $granted retries at a cost of $cost', ({ cost, granted }) => {
    const budget = new AwsBudget({ cost });
    let count = 0;
    while (budget.tryWithdraw() !== undefined) count++;
    expect(count).toBe(granted);
  });

  it('is met with ten retries by default', () => {
    const budget = new RetryBudget();
    let count = 0;
    while (budget.tryWithdraw() !== undefined) count++;
    expect(count).toBe(10);
  });

  it('costs more after timeouts in the classic quota', () => {
    const timeout = Object.assign(new Error('slow'), { code: 'ETIMEDOUT' });
    expect(AwsBudget.classic().tryWithdraw('transient', timeout)).toBe(10);
    expect(AwsBudget.classic().tryWithdraw('throttled', timeout)).toBe(5);
    expect(AwsBudget.classic().tryWithdraw('transient', new Error('x'))).toBe(5);
  });
});

describe('CUBIC', () => {
  it('measures and fills as the SDKs do', async () => {
    const clock = new FakeClock();
    const rate = new CubicRate({ clock });
    for (const { at, throttled, measured, fill } of adaptive.cubic.updates) {
      await clock.advance(at * 1000 - clock.elapsed);
      rate.record(throttled ? 'throttled' : 'success');
      expect(rate.measuredPerSecond).toBeCloseTo(measured, 6);
      expect(rate.curvePerSecond).toBeCloseTo(fill, 6);
    }
  });

  it.each(adaptive.cubic.timeToLastMax)('is back at $rate after $seconds s', ({ rate, seconds }) => {
    expect(timeToReach(rate)).toBeCloseTo(seconds, 12);
  });

  it('follows the curve', () => {
    const { lastMaxRate, throttledAt, rates } = adaptive.cubic.curve;
    for (const { at, rate } of rates) {
      expect(cubic(at - throttledAt, timeToReach(lastMaxRate), lastMaxRate)).toBeCloseTo(rate, 7);
    }
  });
});

describe('the accept-ratio throttle', () => {
  it.each(adaptive.acceptThrottle)('refuses $probability at $accepts of $requests, k $k', given => {
    const { k, requests, accepts, probability } = given;
    expect(refusalProbability(requests, accepts, k)).toBeCloseTo(probability, 4);
    const clock = new FakeClock();
    const throttle = new AcceptThrottle({ k, clock });
    for (let i = 0; i < requests; i++) throttle.admit();
    for (let i = 0; i < accepts; i++) throttle.record('success');
    expect(throttle.refusalProbability).toBeCloseTo(probability, 4);
  });
});
