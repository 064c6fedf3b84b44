import { FakeClock } from 'retryscope/testing';
import { RedisBudget, type RedisBudgetOptions } from '../../src/limits/redis/index.ts';
import { BucketDouble } from './support/bucket-double.ts';

type Settings = Omit<RedisBudgetOptions, 'name' | 'redis' | 'clock'>;

function make(settings: Partial<Settings> = {}, tokens = 100) {
  const clock = new FakeClock();
  const store = new BucketDouble(clock, tokens);
  const budget = new RedisBudget({ name: 'unit', redis: store, capacity: 100, clock, ...settings });
  return { clock, store, budget };
}

/** Asks `count` times, lets answers arrive, and gives the answers. */
async function ask(budget: RedisBudget, clock: FakeClock, count = 1): Promise<(number | undefined)[]> {
  const answers = Promise.all(Array.from({ length: count }, () => budget.tryWithdraw()));
  await clock.advance(0);
  return answers;
}

async function degrade(budget: RedisBudget, clock: FakeClock, store: BucketDouble): Promise<void> {
  store.behaviour = 'refuses';
  await ask(budget, clock);
  expect(budget.mode).toBe('degraded');
}

describe('options', () => {
  const redis = new BucketDouble(new FakeClock(), 1);
  it.each<[string, Record<string, unknown>, string, string]>([
    ['no name', { name: undefined }, 'TypeError', 'name is undefined; it must be a string of 1 to 200 characters'],
    ['an empty name', { name: '' }, 'RangeError', 'name is ""'],
    ['no redis', { redis: undefined }, 'TypeError', 'redis is undefined; it must be a client of ioredis or node-redis'],
    ['half a redis', { redis: { eval: () => 1 } }, 'TypeError', 'redis is an object'],
    ['no capacity', { capacity: undefined }, 'TypeError', 'capacity is undefined; it must be a number from 1'],
    ['a capacity for nothing', { capacity: 0.5 }, 'RangeError', 'capacity is 0.5'],
    ['a capacity of NaN', { capacity: Number.NaN }, 'RangeError', 'capacity is NaN'],
    ['a negative rate', { ratePerSecond: -1 }, 'RangeError', 'ratePerSecond is -1'],
    ['a negative ratio', { ratio: -1 }, 'RangeError', 'ratio is -1'],
    ['no source of tokens', { ratio: 0 }, 'RangeError', 'ratio is 0; it must be more than 0, unless ratePerSecond is'],
    ['no instances', { expectedInstances: 0 }, 'RangeError', 'expectedInstances is 0'],
    ['half an instance', { expectedInstances: 1.5 }, 'RangeError', 'expectedInstances is 1.5'],
    ['an empty lease', { leaseSize: 0 }, 'RangeError', 'leaseSize is 0; it must be an integer from 1 to 1000'],
    ['a long wait', { commandTimeoutMs: 51 }, 'RangeError', 'commandTimeoutMs is 51; it must be a number from 1 to 50'],
    ['a cost beyond capacity', { cost: { timeout: 11 } }, 'RangeError', 'cost (timeout) is 11; it must be at most'],
    ['a kind of cost that there is not', { cost: { tiemout: 1 } }, 'TypeError', 'cost.tiemout'],
    ['a prefix that is no string', { keyPrefix: 1 }, 'TypeError', 'keyPrefix is 1'],
    ['half a clock', { clock: {} }, 'TypeError', 'clock is an object; it must be a Clock'],
    ['a slip of the pen', { capasity: 1 }, 'TypeError', '"capasity" is not an option; did you mean "capacity"?'],
  ])('%s', (_, wrong, type, message) => {
    const options = { name: 'x', redis, capacity: 10, ...wrong } as unknown as RedisBudgetOptions;
    expect(() => new RedisBudget(options)).toThrow(
      expect.objectContaining({ name: type, message: expect.stringContaining(message) }),
    );
  });

  it('must be an object', () => {
    expect(() => new RedisBudget(undefined as unknown as RedisBudgetOptions)).toThrow(TypeError);
  });
});

describe('a lease', () => {
  it('is asked for once by all calls that fail together, and serves every one', async () => {
    const { clock, store, budget } = make();
    expect(await ask(budget, clock, 30)).toEqual(Array(30).fill(1));
    expect(store.asked.map(({ want }) => want)).toEqual([30]);
  });

  it('is spent without asking', async () => {
    const { clock, store, budget } = make({ leaseSize: 8, ratePerSecond: 1000 });
    let calls = 0;
    for (let i = 0; i < 23; i++) {
      const answer = budget.tryWithdraw();
      if (typeof answer === 'object') calls++;
      await clock.advance(0);
      expect(await answer).toBe(1);
    }
    // One token, then twice as many each time: 1 + 2 + 4 + 8 + 8.
    expect([calls, store.asked.map(({ want }) => want)]).toEqual([5, [1, 2, 4, 8, 8]]);
  });

  it('ends after five seconds, and what was left is lost', async () => {
    const { clock, store, budget } = make({ leaseSize: 8, ratePerSecond: 1000 });
    await ask(budget, clock);
    await ask(budget, clock);
    await clock.advance(4_999);
    expect(budget.tryWithdraw()).toBe(1);
    await ask(budget, clock);
    await clock.advance(5_000);
    expect(budget.tryWithdraw()).toBeInstanceOf(Promise);
    await clock.advance(0);
    // Back to one, since some were lost.
    expect(store.asked.map(({ want }) => want)).toEqual([1, 2, 2, 1]);
  });

  it('is asked for again by those who came while the answer was on its way', async () => {
    const { clock, store, budget } = make();
    store.latencyMs = 5;
    const first = budget.tryWithdraw();
    await clock.advance(2);
    const later = [budget.tryWithdraw(), budget.tryWithdraw()];
    await clock.advance(3);
    expect(await first).toBe(1);
    await clock.advance(5);
    expect(await Promise.all(later)).toEqual([1, 1]);
    expect(store.asked.map(({ want }) => want)).toEqual([1, 2]);
  });

  it('covers retries of different costs', async () => {
    const { clock, budget } = make({ cost: { transient: 14, throttled: 5, timeout: 0 }, leaseSize: 50 });
    const answers = Promise.all([
      budget.tryWithdraw('transient'),
      budget.tryWithdraw('throttled'),
      budget.tryWithdraw('transient', { code: 'ETIMEDOUT' }),
    ]);
    await clock.advance(0);
    expect(await answers).toEqual([14, 5, 0]);
  });
});

describe('an empty budget', () => {
  it('is not asked again before there can be a token', async () => {
    const { clock, store, budget } = make({ ratePerSecond: 2 }, 0);
    expect(await ask(budget, clock)).toEqual([undefined]);
    await clock.advance(499);
    expect([budget.tryWithdraw(), store.asked.length]).toEqual([undefined, 1]);
    await clock.advance(1);
    store.tokens = 1;
    expect(await ask(budget, clock)).toEqual([1]);
    expect(store.asked).toHaveLength(2);
  });

  it.each<[string, Partial<Settings>]>([
    ['by time', { ratePerSecond: 100_000 }],
    ['by successes', { ratio: 1 }],
  ])('costs at most ten requests a second when it is filled %s', async (_, settings) => {
    const { clock, store, budget } = make(settings, 0);
    for (let ms = 0; ms < 10_000; ms++) {
      store.tokens = ms % 3 === 0 ? 1 : 0;
      budget.deposit('success');
      budget.tryWithdraw();
      await clock.advance(1);
    }
    const asked = store.asked.filter(({ at }) => at < 10_000);
    const perSecond = Map.groupBy(asked, ({ at }) => Math.floor(at / 1000));
    expect(Math.max(...[...perSecond.values()].map(({ length }) => length))).toBeLessThanOrEqual(10);
    expect(perSecond.size).toBe(10);
  });

  it('denies the rest when it had less than was asked for', async () => {
    const { clock, store, budget } = make({}, 2);
    expect(await ask(budget, clock, 5)).toEqual([1, 1, undefined, undefined, undefined]);
    expect(store.asked).toHaveLength(1);
    expect(budget.state).toMatchObject({ granted: 2, denied: 3, mode: 'shared' });
  });

  it('is left alone for the rest of the second by one that has had its share', async () => {
    const { clock, store, budget } = make({ ratePerSecond: 1 });
    await ask(budget, clock);
    await clock.advance(300);
    store.replies.push([1, 0, 0, 50e9, 0, 1, 0]);
    expect(await ask(budget, clock)).toEqual([undefined]);
    expect(store.asked.at(-1)).toMatchObject({ taken: 1 });
    await clock.advance(699);
    expect(budget.tryWithdraw()).toBeUndefined();
    await clock.advance(1);
    expect(await ask(budget, clock)).toEqual([1]);
    expect(store.asked.at(-1)).toMatchObject({ taken: 0 });
  });
});

describe('deposits', () => {
  it('go with the next request, once Redis has told its time', async () => {
    const { clock, store, budget } = make({ ratio: 0.25, leaseSize: 1 });
    for (let i = 0; i < 7; i++) budget.deposit('success');
    await ask(budget, clock);
    await ask(budget, clock);
    await ask(budget, clock);
    expect(store.asked.map(({ deposit }) => deposit)).toEqual([0, 1.75, 0]);
  });

  it('go by themselves after a second when they make up a token', async () => {
    const { clock, store, budget } = make({ ratio: 0.25 });
    for (let i = 0; i < 3; i++) budget.deposit('success');
    await clock.advance(10_000);
    expect([store.asked.length, clock.pending]).toEqual([0, 0]);
    budget.deposit('success');
    await clock.advance(999);
    expect(store.asked).toEqual([]);
    await clock.advance(1);
    expect(store.asked).toEqual([expect.objectContaining({ want: 0, deposit: 0, validUntil: 0 })]);
    budget.deposit('success');
    await clock.advance(1000);
    expect(store.asked.at(-1)).toMatchObject({ want: 0, deposit: 1.25 });
    expect(store.asked.at(-1)?.validUntil).toBeGreaterThan(0);
  });

  it('are bounded, and only successes pay', async () => {
    const { clock, store, budget } = make({ ratio: 1, capacity: 5, leaseSize: 1 }, 5);
    await ask(budget, clock);
    for (let i = 0; i < 50; i++) budget.deposit('call');
    for (let i = 0; i < 50; i++) budget.deposit('success');
    await ask(budget, clock);
    expect(store.asked.map(({ deposit }) => deposit)).toEqual([0, 5]);
  });

  it('start no timer and no request in a budget that only time fills', async () => {
    const { clock, store, budget } = make({ ratePerSecond: 1 });
    for (let i = 0; i < 1000; i++) budget.deposit('success');
    await clock.advance(5000);
    expect([store.asked.length, clock.pending]).toEqual([0, 0]);
  });
});

describe('without Redis', () => {
  it('a hung one costs the first retries at most the time-out, and later ones nothing', async () => {
    const { clock, store, budget } = make({ commandTimeoutMs: 20 });
    store.behaviour = 'hangs';
    const first = budget.tryWithdraw();
    await clock.advance(19);
    const second = budget.tryWithdraw();
    await clock.advance(1);
    expect(await Promise.all([first, second])).toEqual([1, 1]);
    expect([budget.mode, budget.fault]).toEqual(['degraded', 'ETIMEDOUT']);
    for (let ms = 0; ms < 3000; ms++) {
      expect(budget.tryWithdraw()).not.toBeInstanceOf(Promise);
      await clock.advance(1);
    }
  });

  it('a retry that waited for a slow answer before does not wait as long again', async () => {
    const { clock, store, budget } = make();
    store.latencyMs = 30;
    const first = budget.tryWithdraw();
    await clock.advance(10);
    const second = budget.tryWithdraw();
    store.behaviour = 'hangs';
    await clock.advance(20);
    expect(await first).toBe(1);
    await clock.advance(30);
    expect([await second, budget.mode]).toEqual([1, 'degraded']);
  });

  it('grants its share of the capacity and of the rate, never more and never nothing', async () => {
    const { clock, store, budget } = make({ ratePerSecond: 10, expectedInstances: 5 });
    await degrade(budget, clock, store);
    const burst = Array.from({ length: 50 }, () => budget.tryWithdraw()).filter(answer => answer === 1);
    expect(burst).toHaveLength(19);
    expect(budget.balance()).toBe(0);
    let granted = 0;
    for (let ms = 0; ms < 10_000; ms++) {
      await clock.advance(1);
      if (budget.tryWithdraw() === 1) granted++;
    }
    expect(granted).toBe(20);
  });

  it('successes pay for retries, also with many processes and a small capacity', async () => {
    const { clock, store, budget } = make({ ratio: 0.5, capacity: 2, expectedInstances: 1000 });
    await degrade(budget, clock, store);
    expect(budget.tryWithdraw()).toBeUndefined();
    budget.deposit('success');
    budget.deposit('success');
    expect(budget.tryWithdraw()).toBe(1);
  });

  it('spends first what is left of a lease', async () => {
    const { clock, store, budget } = make({ ratio: 1, leaseSize: 4, expectedInstances: 100 });
    await ask(budget, clock);
    await ask(budget, clock);
    store.behaviour = 'refuses';
    budget.deposit('success');
    await clock.advance(1000);
    expect([budget.mode, budget.balance()]).toEqual(['degraded', 2]);
    expect([budget.tryWithdraw(), budget.tryWithdraw(), budget.tryWithdraw()]).toEqual([1, 1, undefined]);
  });

  it('looks again twice soon, then ever less often, and is shared again with the first answer', async () => {
    const { clock, store, budget } = make();
    await degrade(budget, clock, store);
    await clock.advance(60_000);
    const gaps = store.asked.map(({ at }, i) => at - (store.asked[i - 1]?.at ?? 0));
    expect(gaps.slice(0, 11)).toEqual([0, 100, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
    expect(store.asked.slice(1).every(({ want, deposit }) => want === 0 && deposit === 0)).toBe(true);
    store.behaviour = 'answers';
    await clock.advance(5000);
    expect([budget.mode, budget.fault, clock.pending]).toEqual(['shared', undefined, 0]);
    expect(await ask(budget, clock)).toEqual([1]);
  });

  it('does not pass on what was deposited meanwhile', async () => {
    const { clock, store, budget } = make({ ratio: 1 });
    await ask(budget, clock);
    await degrade(budget, clock, store);
    for (let i = 0; i < 10; i++) budget.deposit('success');
    store.behaviour = 'answers';
    await clock.advance(1000);
    await ask(budget, clock);
    expect(store.asked.at(-1)).toMatchObject({ deposit: 0 });
  });

  it('an answer that comes too late changes nothing', async () => {
    const { clock, store, budget } = make();
    store.latencyMs = 60;
    const answer = budget.tryWithdraw();
    await clock.advance(50);
    expect(await answer).toBe(1);
    await clock.advance(20);
    expect([budget.mode, store.granted, budget.balance()]).toEqual(['degraded', 1, 9]);
  });

  it('a loop that was busy reads the answer before it gives up', async () => {
    const { clock, store, budget } = make();
    store.latencyMs = 49.5;
    const answer = budget.tryWithdraw();
    await clock.advance(50);
    expect([await answer, budget.mode]).toEqual([1, 'shared']);
  });
});

describe('a request that Redis calls late', () => {
  it('is sent once more, with the deposits, now that the clocks are compared again', async () => {
    const { clock, store, budget } = make({ ratio: 1 });
    await ask(budget, clock);
    for (let i = 0; i < 3; i++) budget.deposit('success');
    store.replies.push([0, clock.wallNow() + 5000]);
    expect(await ask(budget, clock)).toEqual([1]);
    const [, first, second] = store.asked;
    expect([first?.deposit, second?.deposit]).toEqual([3, 3]);
    expect((second?.validUntil ?? 0) - (first?.validUntil ?? 0)).toBe(5000);
  });

  it('twice counts as a failure', async () => {
    const { clock, store, budget } = make();
    store.replies.push([0, 1], [0, 1]);
    expect(await ask(budget, clock)).toEqual([1]);
    expect([budget.mode, budget.fault]).toEqual(['degraded', 'UNKNOWN']);
  });
});

describe('a script that Redis does not have', () => {
  it('is sent once', async () => {
    const { clock, store, budget } = make();
    store.hasScript = false;
    expect(await ask(budget, clock)).toEqual([1]);
    expect([budget.mode, store.asked.length]).toEqual(['shared', 1]);
  });
});

describe('an answer that cannot be', () => {
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  const throwing = {
    get 0(): unknown {
      throw new Error('no');
    },
  };
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'OK'],
    ['an object without prototype', Object.create(null)],
    ['a revoked Proxy', proxy],
    ['getters that throw', throwing],
    ['too short a list', [1, 1, 1]],
    ['NaN', [1, Number.NaN, 1, 1, 0, 1, 1]],
    ['a grant below nothing', [1, 1, -1, 1, 0, 1, 1]],
    ['a grant without end', [1, 1, Number.POSITIVE_INFINITY, 1, 0, 1, 1]],
    ['fractions', [1, 1, 0.5, 1, 0, 1, 1]],
    ['objects', [1, 1, {}, 1, 0, 1, 1]],
    ['another kind', [2, 1, 1, 1, 0, 1, 1]],
    [
      'a thenable that throws',
      {
        then: () => {
          throw undefined;
        },
      },
    ],
    [
      'a list that throws when it is read',
      Object.defineProperty([], 0, {
        get: () => {
          throw 'no';
        },
      }),
    ],
  ])('%s is a failure and no more', async (_, reply) => {
    const { clock, store, budget } = make();
    store.replies.push(reply);
    expect(await ask(budget, clock)).toEqual([1]);
    expect(budget.mode).toBe('degraded');
  });

  it.each<[string, unknown[]]>([
    ['texts', ['1', '1', '2000000000', '5', '0', '1', '2000000000']],
    ['bigints', [1n, 1n, 2_000_000_000n, 5n, 0n, 1n, 2_000_000_000n]],
  ])('numbers as %s are read', async (_, reply) => {
    const { clock, store, budget } = make();
    store.replies.push(reply);
    expect(await ask(budget, clock)).toEqual([1]);
    expect([budget.mode, budget.tryWithdraw()]).toEqual(['shared', 1]);
  });

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'UNKNOWN'],
    ['a text', 'NOPERM', 'UNKNOWN'],
    ['an error of Redis', new Error('NOPERM this user has no permissions'), 'NOPERM'],
    ['an error of Node', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    ['an error with a secret', new Error('secret-token'), 'UNKNOWN'],
    ['a frozen error', Object.freeze(new Error('OOM command not allowed')), 'OOM'],
  ])('what a client throws is only named: %s', async (_, thrown, fault) => {
    const clock = new FakeClock();
    const fail = () => {
      throw thrown;
    };
    const budget = new RedisBudget({ name: 'throws', redis: { eval: fail, evalsha: fail }, capacity: 10, clock });
    expect(await ask(budget, clock)).toEqual([1]);
    expect(budget.fault).toBe(fault);
  });
});

describe('close', () => {
  it('answers those who wait, stops every timer, asks no more and goes on alone', async () => {
    const { clock, store, budget } = make({ ratio: 1 });
    await ask(budget, clock);
    store.behaviour = 'hangs';
    budget.deposit('success');
    const waiting = budget.tryWithdraw();
    await clock.advance(0);
    budget.close();
    expect(await waiting).toBe(1);
    await clock.advance(60_000);
    expect([clock.pending, store.asked.length, budget.mode, budget.fault]).toEqual([0, 2, 'degraded', undefined]);
    expect(budget.tryWithdraw()).toBe(1);
  });

  it('keeps a request that has not left from leaving', async () => {
    const { clock, store, budget } = make();
    const waiting = budget.tryWithdraw();
    budget[Symbol.dispose]();
    await clock.advance(100);
    expect([await waiting, store.asked.length, clock.pending]).toEqual([1, 0, 0]);
  });

  it('stops the probes, and may come twice', async () => {
    const { clock, store, budget } = make();
    await degrade(budget, clock, store);
    budget.close();
    budget.close();
    await clock.advance(60_000);
    expect([clock.pending, store.asked.length]).toEqual([0, 1]);
  });

  it('an answer that is on its way is dropped', async () => {
    const { clock, store, budget } = make();
    store.latencyMs = 5;
    const waiting = budget.tryWithdraw();
    await clock.advance(1);
    budget.close();
    await clock.advance(100);
    expect([await waiting, budget.mode, budget.balance()]).toEqual([1, 'degraded', 9]);
  });
});

describe('what can be read', () => {
  it('the balance is half of the capacity at first, then what Redis said and what time has added since', async () => {
    const { clock, store, budget } = make({ ratePerSecond: 10, leaseSize: 1 }, 40);
    expect([budget.balance(), budget.capacity]).toEqual([50, 100]);
    await ask(budget, clock);
    expect(budget.balance()).toBe(39);
    await clock.advance(1000);
    expect(budget.balance()).toBe(49);
    await clock.advance(60_000);
    expect(budget.balance()).toBe(100);
    store.replies.push([1, 1, 0, -5e9, 500, 1, 0]);
    await ask(budget, clock);
    expect(budget.balance()).toBe(0);
  });

  it('an idle budget has no timer and makes no request', async () => {
    const { clock, store } = make();
    await clock.advance(60_000);
    expect([clock.pending, store.asked.length]).toEqual([0, 0]);
  });
});
