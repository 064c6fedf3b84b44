import {
  AcceptThrottle,
  AwsBudget,
  Bulkhead,
  CircuitBreaker,
  CubicRate,
  GrpcBudget,
  LatencyHedge,
  RetryBudget,
  WindowBudget,
} from '../../src/core.ts';
import { limitRegistry, MAX_LIMITS, registerBudget } from '../../src/limits/registry.ts';
import { SlidingSum } from '../../src/limits/sliding-sum.ts';
import { FakeClock } from '../../src/testing/index.ts';

beforeEach(() => {
  limitRegistry.budgets.clear();
  limitRegistry.breakers.clear();
  limitRegistry.overflow = 0;
});

describe.each<[string, (options: object) => { readonly name: string }, string]>([
  ['RetryBudget', options => new RetryBudget(options), 'budget'],
  ['WindowBudget', options => new WindowBudget(options), 'budget'],
  ['GrpcBudget', options => new GrpcBudget(options), 'budget'],
  ['AwsBudget', options => new AwsBudget(options), 'budget'],
  ['AwsBudget.classic', options => AwsBudget.classic(options), 'budget'],
  ['CircuitBreaker', options => new CircuitBreaker(options), 'breaker'],
  ['CubicRate', options => new CubicRate(options), 'adaptive'],
  ['AcceptThrottle', options => new AcceptThrottle(options), 'adaptive'],
  ['Bulkhead', options => new Bulkhead({ limit: 1, ...options }), 'bulkhead'],
])('%s', (kind, create, what) => {
  it('is called what it is told, else "default"', () => {
    expect(create({ name: 'payments' }).name).toBe('payments');
    expect(create({}).name).toBe('default');
  });

  if (kind !== 'Bulkhead' && kind !== 'AwsBudget.classic') {
    it('names what it was given in place of options', () => {
      expect(() => create(5 as never)).toThrow(`${what} options are 5; they must be an object`);
    });
  }
});

it('LatencyHedge names what it was given in place of options', () => {
  expect(() => new LatencyHedge(5 as never)).toThrow('hedge options are 5; they must be an object');
});

describe('the registry', () => {
  it('knows every budget and breaker from the moment at which it is made', () => {
    const budget = new RetryBudget({ name: 'payments' });
    const breaker = new CircuitBreaker({ name: 'ledger' });
    expect([...limitRegistry.budgets]).toEqual([budget]);
    expect([...limitRegistry.breakers]).toEqual([breaker]);
    expect(breaker.whenOpen).toBe('stop');
  });

  it('does not grow without end', () => {
    for (let i = 0; i < MAX_LIMITS + 5; i++) registerBudget({ state: {} as never });
    for (let i = 0; i < MAX_LIMITS + 3; i++) new CircuitBreaker();
    expect([limitRegistry.budgets.size, limitRegistry.breakers.size]).toEqual([200, 200]);
    expect(limitRegistry.overflow).toBe(8);
  });
});

describe('budgets', () => {
  it('are filled by what pays for them, and by nothing else', () => {
    const grpc = new GrpcBudget();
    const aws = new AwsBudget({ initial: 100 });
    const window = new WindowBudget({ clock: new FakeClock() });
    grpc.charge();
    grpc.deposit('call');
    aws.deposit('call', 7);
    window.deposit('success');
    expect([grpc.balance(), aws.balance(), window.balance()]).toEqual([9, 100, 0]);
    aws.deposit('success', 0);
    aws.deposit('success', 14);
    expect(aws.balance()).toBe(115);
  });

  it('have limits of their own', () => {
    expect(new GrpcBudget({ maxTokens: 1 }).balance()).toBe(1);
    expect(new GrpcBudget({ maxTokens: 1000 }).balance()).toBe(1000);
    expect(() => new GrpcBudget({ maxTokens: 1001 })).toThrow(
      'maxTokens is 1001; it must be an integer from 1 to 1000',
    );
    expect(() => new RetryBudget({ cost: null as never })).toThrow('cost is null; it must be a number of tokens');
  });

  it('charge for a transient failure where nothing else is said', () => {
    expect(new RetryBudget({ cost: { transient: 3, throttled: 1 } }).tryWithdraw()).toBe(3);
  });

  it('read whole numbers as they are', () => {
    const budget = new GrpcBudget({ maxTokens: 10, tokenRatio: 2 });
    for (let i = 0; i < 5; i++) budget.charge();
    budget.deposit('success');
    expect(budget.balance()).toBe(7);
  });
});

describe('a breaker', () => {
  it('does not count what says nothing, nor changes that are none', () => {
    const breaker = new CircuitBreaker({ trip: { kind: 'consecutive', failures: 1 } });
    breaker.leave(breaker.tryEnter() as number, 'ignored');
    breaker.reset();
    breaker.reset();
    expect(breaker.state).toMatchObject({ at: 'closed', transitions: { closed: 0, open: 0 }, calls: { ignored: 1 } });
  });

  it('counts those that it keeps out while its probes are', async () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker({ clock, openMs: 10 });
    breaker.trip();
    await clock.advance(10);
    breaker.tryEnter();
    breaker.tryEnter();
    breaker.tryEnter();
    expect(breaker.state.calls.rejected).toBe(2);
  });

  it('says at once when its time is over, whatever it is asked', async () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker({ clock, openMs: 10, probeTimeoutMs: 5 });
    breaker.trip();
    await clock.advance(10);
    expect(breaker.openForMs()).toBe(0);
    const hung = breaker.tryEnter() as number;
    await clock.advance(5);
    breaker.leave(hung, 'success');
    expect(breaker.state.at).toBe('open');
  });

  it.each<[string, ConstructorParameters<typeof CircuitBreaker>[0], string, string]>([
    ['a hundred attempts', { trip: { kind: 'count' } }, 'F'.repeat(99), 'F'],
    ['half of them', { trip: { kind: 'count', size: 4 } }, 'FSS', 'F'],
    ['twenty within the time', { trip: { kind: 'time' } }, 'F'.repeat(19), 'F'],
    ['more than half within it', { trip: { kind: 'time', minimum: 4 } }, 'SSSSFFF', 'F'],
    ['nine tenths of them', { trip: { kind: 'time', minimum: 4, failureRatio: 0.9 } }, 'SFFFFFFFF', 'F'],
  ])('waits for %s', (_what, options, closed, opening) => {
    const breaker = new CircuitBreaker({ ...options, clock: new FakeClock() });
    const feed = (results: string): string => {
      for (const result of results) breaker.leave(breaker.tryEnter() as number, result === 'S' ? 'success' : 'failure');
      return breaker.state.at;
    };
    expect(feed(closed)).toBe('closed');
    expect(feed(opening)).toBe('open');
  });

  it('is not opened by successes', () => {
    const breaker = new CircuitBreaker({ trip: { kind: 'time', minimum: 2 }, clock: new FakeClock() });
    for (let i = 0; i < 50; i++) breaker.leave(breaker.tryEnter() as number, 'success');
    expect(breaker.state.at).toBe('closed');
  });

  it('takes an option that is undefined as left out', () => {
    expect(() => new CircuitBreaker({ trip: { kind: 'count', size: undefined } as never })).not.toThrow();
    expect(() => new CircuitBreaker({ trip: { kind: 'time', minimum: 500 } })).not.toThrow();
  });
});

describe('CubicRate', () => {
  it('learns nothing from what says nothing', async () => {
    const clock = new FakeClock();
    const rate = new CubicRate({ clock });
    for (let i = 0; i < 10; i++) {
      await clock.advance(100);
      rate.record('ignored');
    }
    rate.record('success');
    expect(rate.measuredPerSecond).toBeCloseTo(0.8, 6);
  });

  it('waits as long as it may, and no longer', () => {
    const rate = new CubicRate({ clock: new FakeClock(), maxWaitMs: 2000 });
    rate.record('throttled');
    expect([rate.admit(), rate.admit()]).toEqual([2000, undefined]);
  });
});

describe('LatencyHedge', () => {
  it('gives old measures up for new ones', () => {
    const hedge = new LatencyHedge();
    for (let i = 0; i < 1000; i++) hedge.record(1000);
    for (let i = 0; i < 5000; i++) hedge.record(10);
    expect(hedge.delayMs()).toBeLessThan(12);
  });

  it('counts as many as it was asked for', () => {
    const hedge = new LatencyHedge({ percentile: 0.5, minSamples: 4 });
    for (const ms of [1, 1, 1000, 1000]) hedge.record(ms);
    expect(hedge.delayMs()).toBeLessThan(1.2);
  });

  it('holds the longest of them', () => {
    const hedge = new LatencyHedge({ minSamples: 1 });
    hedge.record(Infinity);
    expect(hedge.delayMs()).toBeCloseTo(0.1 * 1.1 ** 191, 0);
  });
});

describe('SlidingSum', () => {
  it('forgets slice by slice, wherever it is in its ring', () => {
    const sum = new SlidingSum(1000, 10);
    for (let at = 0; at < 5000; at += 50) {
      sum.add(at, 1);
      expect(sum.sum(at)).toBe(Math.min(at / 50 + 1, 18 + ((at / 50) % 2) + 1));
    }
    expect(sum.sum(5899)).toBe(2);
    expect(sum.sum(5900)).toBe(0);
    expect(sum.sum(1e9)).toBe(0);
  });
});
