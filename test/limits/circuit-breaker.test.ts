import * as fc from 'fast-check';
import { type BreakerChange, CircuitBreaker, type CircuitBreakerOptions, faultCounts, retry } from '../../src/core.ts';
import { FakeClock } from '../../src/testing/index.ts';

let clock: FakeClock;
beforeEach(() => {
  clock = new FakeClock();
});
const create = (options: CircuitBreakerOptions = {}): CircuitBreaker => new CircuitBreaker({ clock, ...options });
/** Lets the breaker see attempts: S for a success, F for a failure. */
const feed = (breaker: CircuitBreaker, results: string): string => {
  for (const result of results) {
    const permit = breaker.tryEnter();
    if (permit !== undefined) breaker.leave(permit, result === 'S' ? 'success' : 'failure');
  }
  return breaker.state.at;
};

describe('the rule', () => {
  it.each<[string, CircuitBreakerOptions['trip'], [string, string][]]>([
    [
      'is five failures in a row by default',
      undefined,
      [
        ['FFFF', 'closed'],
        ['S', 'closed'],
        ['FFFFF', 'open'],
      ],
    ],
    [
      'counts failures in a row',
      { kind: 'consecutive', failures: 2 },
      [
        ['FSFSF', 'closed'],
        ['F', 'open'],
      ],
    ],
    [
      'counts the last attempts',
      { kind: 'count', size: 4, failureRatio: 0.5 },
      [
        ['FFF', 'closed'],
        ['S', 'closed'],
        ['SSSS', 'closed'],
        ['F', 'closed'],
        ['F', 'open'],
      ],
    ],
    [
      'needs a minimum of them',
      { kind: 'count', size: 10, failureRatio: 0.5, minimum: 3 },
      [
        ['FF', 'closed'],
        ['F', 'open'],
      ],
    ],
    [
      'opens only with a failure',
      { kind: 'count', size: 4, failureRatio: 0.25, minimum: 4 },
      [
        ['FSS', 'closed'],
        ['S', 'closed'],
        ['F', 'open'],
      ],
    ],
    [
      'counts the attempts of a time',
      { kind: 'time', windowMs: 10_000, failureRatio: 0.5, minimum: 4 },
      [
        ['SSF', 'closed'],
        ['F', 'open'],
      ],
    ],
  ])('%s', (_what, trip, steps) => {
    const breaker = create(trip === undefined ? {} : { trip });
    for (const [results, state] of steps) expect([results, feed(breaker, results)]).toEqual([results, state]);
  });

  it('T7: forgets by the time, however seldom it is asked', async () => {
    const breaker = create({ trip: { kind: 'time', windowMs: 1000, failureRatio: 0.5, minimum: 4 } });
    feed(breaker, 'FFF');
    await clock.advance(1000);
    expect(feed(breaker, 'F')).toBe('closed');
    await clock.advance(900);
    expect(feed(breaker, 'FF')).toBe('closed');
    expect(feed(breaker, 'F')).toBe('open');
  });

  it('starts anew after the circuit has closed', async () => {
    const breaker = create({ trip: { kind: 'count', size: 3, failureRatio: 0.5, minimum: 3 }, openMs: 100 });
    expect(feed(breaker, 'FFF')).toBe('open');
    await clock.advance(100);
    expect(feed(breaker, 'S')).toBe('closed');
    expect(feed(breaker, 'FF')).toBe('closed');
    expect(feed(breaker, 'F')).toBe('open');
  });
});

describe('an open circuit', () => {
  it('lets nothing through until its time is over', async () => {
    const breaker = create({ openMs: 1000 });
    expect(breaker.openForMs()).toBe(0);
    breaker.trip();
    await clock.advance(999);
    expect([breaker.tryEnter(), breaker.openForMs(), breaker.state.at]).toEqual([undefined, 1, 'open']);
    await clock.advance(1);
    expect([breaker.openForMs(), breaker.state.at]).toEqual([0, 'half_open']);
  });

  it('ignores what attempts bring that started before', () => {
    const breaker = create({ trip: { kind: 'consecutive', failures: 1 } });
    const late = [breaker.tryEnter(), breaker.tryEnter(), breaker.tryEnter()] as number[];
    breaker.leave(late[0] as number, 'failure');
    breaker.leave(late[1] as number, 'success');
    expect(breaker.state.at).toBe('open');
    breaker.reset();
    breaker.leave(late[2] as number, 'failure');
    expect(breaker.state).toMatchObject({ at: 'closed', calls: { success: 1, failure: 2 } });
  });
});

describe('half open', () => {
  const halfOpen = async (options: CircuitBreakerOptions): Promise<CircuitBreaker> => {
    const breaker = create({ openMs: 100, ...options });
    breaker.trip();
    await clock.advance(100);
    return breaker;
  };

  it('lets exactly its probes through, and closes when all succeed', async () => {
    const breaker = await halfOpen({ probes: 3 });
    const permits = Array.from({ length: 10 }, () => breaker.tryEnter()).filter(permit => permit !== undefined);
    expect(permits).toHaveLength(3);
    breaker.leave(permits[0] as number, 'success');
    expect(breaker.tryEnter()).toBeUndefined();
    breaker.leave(permits[1] as number, 'success');
    expect(breaker.state.at).toBe('half_open');
    breaker.leave(permits[2] as number, 'success');
    expect(breaker.state.at).toBe('closed');
  });

  it('opens again with the first that fails', async () => {
    const breaker = await halfOpen({ probes: 2 });
    const [one, two] = [breaker.tryEnter(), breaker.tryEnter()] as number[];
    breaker.leave(one as number, 'failure');
    expect([breaker.state.at, breaker.openForMs()]).toEqual(['open', 100]);
    breaker.leave(two as number, 'success');
    expect(breaker.state.at).toBe('open');
  });

  it('gives the place of a probe that says nothing to another', async () => {
    const breaker = await halfOpen({});
    breaker.leave(breaker.tryEnter() as number, 'ignored');
    expect(breaker.state.at).toBe('half_open');
    expect(feed(breaker, 'S')).toBe('closed');
  });

  it('T11: does not wait for a probe that hangs', async () => {
    const breaker = await halfOpen({ probeTimeoutMs: 5000 });
    const hung = breaker.tryEnter() as number;
    await clock.advance(4999);
    expect([breaker.tryEnter(), breaker.openForMs()]).toEqual([undefined, 1]);
    await clock.advance(1);
    expect([breaker.state.at, breaker.openForMs()]).toEqual(['open', 100]);
    await clock.advance(100);
    breaker.leave(hung, 'failure');
    expect(feed(breaker, 'S')).toBe('closed');
  });

  it('has those who wait look again soon', async () => {
    const breaker = await halfOpen({ probeTimeoutMs: 60_000 });
    breaker.tryEnter();
    expect(breaker.openForMs()).toBe(1000);
  });

  it('lets no more through than its probes, whatever the order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 4 }), async (scheduler, probes) => {
        const breaker = await halfOpen({ probes, whenOpen: 'stop' });
        let running = 0;
        let most = 0;
        const work = async (): Promise<void> => {
          if (breaker.state.at === 'half_open') most = Math.max(most, ++running);
          await scheduler.schedule(Promise.resolve());
          running--;
        };
        const calls = Array.from({ length: 12 }, () =>
          scheduler
            .schedule(Promise.resolve())
            .then(() => retry(work, { breaker, clock, maxAttempts: 1 }))
            .catch(() => undefined),
        );
        await scheduler.waitFor(Promise.all(calls));
        return most <= probes && breaker.state.at === 'closed';
      }),
      { numRuns: 50 },
    );
  });
});

describe('by hand', () => {
  it('stays open until it is reset', async () => {
    const breaker = create();
    breaker.forceOpen();
    breaker.forceOpen();
    await clock.advance(1e6);
    expect([breaker.state.at, breaker.tryEnter(), breaker.openForMs()]).toEqual(['forced_open', undefined, Infinity]);
    breaker.trip();
    expect(breaker.state.at).toBe('forced_open');
    breaker.reset();
    expect([breaker.state.at, breaker.openForMs()]).toEqual(['closed', 0]);
    expect(() => breaker.trip(-1)).toThrow('openMs is -1; it must be a number from 0 to 2147483647');
  });

  it('tells its listeners, and survives them', async () => {
    const breaker = create({ name: 'ledger', openMs: 100 });
    const changes: BreakerChange[] = [];
    const before = faultCounts().get('hook') ?? 0;
    const stop = breaker.onStateChange(change => changes.push(change));
    breaker.onStateChange(() => {
      throw new Error('listener');
    });
    breaker.trip();
    await clock.advance(100);
    feed(breaker, 'S');
    stop();
    breaker.forceOpen();
    expect(changes).toEqual([
      { breaker: 'ledger', from: 'closed', to: 'open' },
      { breaker: 'ledger', from: 'open', to: 'half_open' },
      { breaker: 'ledger', from: 'half_open', to: 'closed' },
    ]);
    expect(faultCounts().get('hook')).toBe(before + 4);
  });
});

it('tells what it has done', async () => {
  const breaker = create({ name: 'ledger', openMs: 500 });
  await clock.advance(1000);
  feed(breaker, 'SFFFFF');
  await clock.advance(200);
  feed(breaker, 'S');
  expect(breaker.state).toEqual({
    name: 'ledger',
    at: 'open',
    calls: { success: 1, failure: 5, ignored: 0, rejected: 1 },
    transitions: { closed: 0, open: 1, half_open: 0, forced_open: 0 },
    millisecondsIn: { closed: 1000, open: 200, half_open: 0, forced_open: 0 },
  });
});

it.each<[string, object, typeof Error, string]>([
  ['kind', { trip: { kind: 'rate' } }, TypeError, "trip.kind is \"rate\"; it must be 'consecutive', 'count' or 'time'"],
  ['no rule', { trip: 5 }, TypeError, 'trip.kind is undefined'],
  ['failures', { trip: { kind: 'consecutive', failures: 0 } }, RangeError, 'trip.failures is 0; it must be an integer'],
  ['ratio', { trip: { kind: 'time', failureRatio: 1.1 } }, RangeError, 'trip.failureRatio is 1.1'],
  ['minimum', { trip: { kind: 'count', size: 5, minimum: 6 } }, RangeError, 'trip.minimum is 6; it must be an integer'],
  ['foreign', { trip: { kind: 'count', windowMs: 5 } }, TypeError, '"trip.windowMs" is not an option'],
  ['probes', { probes: 0 }, RangeError, 'probes is 0; it must be an integer from 1 to 1000'],
  ['openMs', { openMs: 2 ** 31 }, RangeError, 'openMs is 2147483648'],
  ['probeTimeoutMs', { probeTimeoutMs: 0 }, RangeError, 'probeTimeoutMs is 0'],
  ['whenOpen', { whenOpen: 'fail' }, TypeError, "whenOpen is \"fail\"; it must be 'stop' or 'wait'"],
  ['typing', { openms: 5 }, TypeError, 'did you mean "openMs"?'],
])('refuses a wrong %s', (_what, options, type, message) => {
  expect(() => new CircuitBreaker(options)).toThrow(type);
  expect(() => new CircuitBreaker(options)).toThrow(message);
});
