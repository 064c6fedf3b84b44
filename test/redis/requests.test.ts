import { FakeClock } from 'retryscope/testing';
import { runtime } from '../../src/engine/runtime.ts';
import { RedisBudget, type RedisBudgetOptions } from '../../src/limits/redis/index.ts';
import { LEASE_MS, Lease } from '../../src/limits/redis/lease.ts';

const TOKEN = 1_000_000_000;
const ORDER = ['capacity', 'rate', 'validUntil', 'deposit', 'need', 'want', 'instances', 'taken'] as const;

type Request = Record<(typeof ORDER)[number], number>;

/** A budget over a Redis that says what it is told to, and everything that it was asked. */
function make(options: Partial<RedisBudgetOptions> = {}, answer?: () => unknown) {
  const clock = new FakeClock();
  const timer = jest.spyOn(clock, 'timer');
  const keys: string[] = [];
  const requests: Request[] = [];
  const evalsha = async (_sha: string, key: string[], args: string[]): Promise<unknown> => {
    keys.push(...key);
    requests.push(Object.fromEntries(ORDER.map((name, i) => [name, Number(args[i])])) as Request);
    if (answer !== undefined) return answer();
    return [1, 500_000, Number(args[5]), 10 * TOKEN, 0, 1, 1];
  };
  const redis = { evalsha, eval: evalsha };
  const budget = new RedisBudget({ name: 'unit', redis, capacity: 20, clock, ...options });
  return { clock, timer, keys, requests, budget };
}

it.each<[Partial<RedisBudgetOptions>, string]>([
  [{}, 'retryscope:budget:{unit}'],
  [{ keyPrefix: 'own:', name: 'other' }, 'own:{other}'],
])('keeps the budget of %j under %s', async (options, key) => {
  const { budget, keys } = make(options);
  await budget.tryWithdraw();
  expect(keys).toEqual([key]);
});

it.each<[Partial<RedisBudgetOptions>, Partial<Request>]>([
  [{}, { capacity: 20 * TOKEN, rate: 0, need: TOKEN, want: TOKEN, instances: 10 }],
  [
    { ratePerSecond: 5, expectedInstances: 3 },
    { rate: TOKEN / 200, instances: 3 },
  ],
  [{ cost: { transient: 3, throttled: 2, timeout: 4 } }, { need: 2 * TOKEN, want: 4 * TOKEN }],
  [{ cost: { transient: 3, throttled: 0, timeout: 4 } }, { need: 3 * TOKEN, want: 3 * TOKEN }],
  [{ cost: { transient: 20, throttled: 20, timeout: 20 } }, { need: 20 * TOKEN, want: 20 * TOKEN }],
])('%j asks for %j', async (options, expected) => {
  const { budget, requests } = make(options);
  await budget.tryWithdraw('transient');
  expect(requests).toEqual([expect.objectContaining(expected)]);
});

it('pays in for successes, a tenth of a token each, and for nothing else', async () => {
  const { budget, requests, clock } = make();
  await budget.tryWithdraw();
  for (let i = 0; i < 10; i++) budget.deposit('success');
  for (let i = 0; i < 10; i++) budget.deposit('call');
  await clock.advance(1000);
  expect(requests.map(({ deposit }) => deposit)).toEqual([0, TOKEN]);
});

it('pays nothing in where time brings the tokens', async () => {
  const { budget, requests, clock, timer } = make({ ratePerSecond: 5 });
  await budget.tryWithdraw();
  timer.mockClear();
  for (let i = 0; i < 100; i++) budget.deposit('success');
  await clock.advance(5000);
  expect([requests.length, timer.mock.calls.length]).toEqual([1, 0]);
});

it('lets the process end while deposits wait, and while it looks for Redis', async () => {
  const { budget, clock, timer } = make();
  await budget.tryWithdraw();
  timer.mockClear();
  for (let i = 0; i < 10; i++) budget.deposit('success');
  expect(timer.mock.calls.map(([, , hold]) => hold)).toEqual(['unref']);
  const lost = make({}, () => {
    throw new Error('OOM command not allowed');
  });
  await lost.budget.tryWithdraw();
  expect(lost.timer.mock.calls.at(-1)?.[2]).toBe('unref');
  expect([lost.budget.mode, lost.budget.fault]).toEqual(['degraded', 'OOM']);
  lost.budget.close();
  expect(lost.budget.fault).toBeUndefined();
  await clock.advance(1000);
});

it('reports that Redis is away once', async () => {
  const before = runtime.faults.get('limit') ?? 0;
  const { budget, clock, requests } = make({}, () => {
    throw new Error('OOM command not allowed');
  });
  await budget.tryWithdraw();
  await clock.advance(20_000);
  expect(requests.length).toBeGreaterThan(2);
  expect((runtime.faults.get('limit') ?? 0) - before).toBe(1);
});

it('takes nothing for a retry that costs nothing', async () => {
  const { budget, requests } = make({ cost: { transient: 0 } });
  expect(await budget.tryWithdraw('transient')).toBe(0);
  expect(requests).toEqual([]);
});

describe('a lease', () => {
  it('asks for one at first, for twice as many when they are used up within a second, and for no more than it may', () => {
    const lease = new Lease(5);
    expect(lease.nextSize(0)).toBe(TOKEN);
    lease.add(TOKEN, 0);
    expect(lease.nextSize(999)).toBe(2 * TOKEN);
    lease.add(TOKEN, 999);
    expect(lease.nextSize(1999)).toBe(2 * TOKEN);
    lease.add(TOKEN, 2000);
    expect([lease.nextSize(2001), lease.nextSize(2002)]).toEqual([4 * TOKEN, 5 * TOKEN]);
  });

  it('loses what is left after its time, and begins with one again', () => {
    const lease = new Lease(50);
    lease.add(2 * TOKEN, 100);
    expect(lease.nextSize(200)).toBe(2 * TOKEN);
    expect(lease.balance(100 + LEASE_MS - 1)).toBe(2 * TOKEN);
    expect(lease.balance(100 + LEASE_MS)).toBe(0);
    expect(lease.nextSize(100 + LEASE_MS)).toBe(TOKEN);
  });

  it('that was used up in its time keeps its size', () => {
    const lease = new Lease(50);
    lease.add(TOKEN, 0);
    expect(lease.nextSize(1)).toBe(2 * TOKEN);
    expect(lease.tryTake(TOKEN, 2)).toBe(true);
    expect(lease.balance(LEASE_MS)).toBe(0);
    expect(lease.nextSize(LEASE_MS + 1)).toBe(2 * TOKEN);
  });

  it('keeps what was left no longer for what comes in', () => {
    const lease = new Lease(50);
    lease.add(TOKEN, 0);
    lease.add(TOKEN, 1000);
    expect(lease.balance(LEASE_MS)).toBe(0);
    lease.add(TOKEN, LEASE_MS);
    expect(lease.balance(2 * LEASE_MS - 1)).toBe(TOKEN);
  });
});
