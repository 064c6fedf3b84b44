import { BudgetServer } from '../../benchmarks/storm/budget-server.ts';
import { type ContenderName, contenders } from '../../benchmarks/storm/contenders.ts';
import { callsAtTheBottom } from '../../benchmarks/storm/layers.ts';
import { exponential, randomStream } from '../../benchmarks/storm/random.ts';
import { OSDI } from '../../benchmarks/storm/scenarios.ts';
import { FifoServer } from '../../benchmarks/storm/server.ts';
import { runStorm, type StormResult } from '../../benchmarks/storm/storm.ts';
import { VirtualClock } from '../../benchmarks/storm/virtual-clock.ts';
import vectors from '../vectors/budget-script.json' with { type: 'json' };

jest.setTimeout(120_000);

describe('three layers of four attempts', () => {
  it('make 4 calls at the bottom, where they would make 64', async () => {
    expect(await callsAtTheBottom(3, { maxAttempts: 4 })).toBe(4);
    expect(await callsAtTheBottom(3, { maxAttempts: 4, nested: 'both' })).toBe(64);
  });

  it('make 4 with a limit of time on the attempts too', async () => {
    const options = { maxAttempts: 4, initialDelay: 100, jitter: false, attemptTimeout: 50 } as const;
    expect(await callsAtTheBottom(3, options)).toBeLessThanOrEqual(4);
  });
});

describe('a run', () => {
  const run = (name: ContenderName, seed: number): Promise<StormResult> =>
    runStorm({ ...OSDI, processes: 10, endMs: 90_000 }, contenders(5)[name], seed);

  it.each(['shared10', 'fleet10', 'jitter', 'breaker'] as const)(
    'is the same for the same seed, and another for another, with %s',
    async name => {
      const [one, again, other] = [await run(name, 7), await run(name, 7), await run(name, 8)];
      expect(again).toEqual(one);
      expect(other).not.toEqual(one);
    },
  );

  it('leaves the length of stacks as it was', async () => {
    const before = Error.stackTraceLimit;
    await run('none', 1);
    expect(Error.stackTraceLimit).toBe(before);
  });
});

describe('the virtual clock', () => {
  it('runs what follows from promises before the next event', async () => {
    const clock = new VirtualClock(() => 0);
    const log: string[] = [];
    for (const ms of [5, 5, 6]) {
      void clock.sleep(ms, undefined).then(async () => {
        for (let turn = 0; turn < 50; turn++) await undefined;
        log.push(`${ms} at ${clock.now()}`);
      });
    }
    clock.timer(5, () => log.push('timer'))();
    await clock.run(Infinity);
    expect(log).toEqual(['5 at 5', '5 at 5', '6 at 6']);
  });

  it('ends where it is told to', async () => {
    const clock = new VirtualClock(() => 0);
    const tick = jest.fn(() => void clock.timer(10, tick));
    clock.timer(10, tick);
    await clock.run(1000);
    expect(tick).toHaveBeenCalledTimes(100);
  });

  it('lets a signal end a sleep', async () => {
    const clock = new VirtualClock(() => 0);
    const controller = new AbortController();
    const settled = Promise.allSettled([
      clock.sleep(50, controller.signal),
      clock.sleep(5, controller.signal),
      clock.sleep(50, AbortSignal.abort('before')),
    ]);
    clock.timer(10, () => controller.abort('meanwhile'));
    await clock.run(Infinity);
    expect(clock.now()).toBe(10);
    expect(await settled).toMatchObject([{ reason: 'meanwhile' }, { status: 'fulfilled' }, { reason: 'before' }]);
  });

  it('passes on what a callback throws', async () => {
    const clock = new VirtualClock(() => 0);
    clock.timer(1, () => {
      throw new Error('wrong');
    });
    await expect(clock.run(Infinity)).rejects.toThrow('wrong');
  });
});

describe('the server', () => {
  it('makes a queue wait as theory says', async () => {
    const clock = new VirtualClock(() => 0);
    const never = { fromMs: 0, toMs: 0, factor: 1 };
    const server = new FifoServer(clock, 100, never, randomStream(1));
    const arrivals = randomStream(2);
    let [sum, count] = [0, 0];
    const arrive = (): void => {
      clock.timer(exponential(1000 / 80, arrivals), arrive);
      const since = clock.now();
      void server.request(Infinity).then(() => {
        sum += clock.now() - since;
        count++;
      });
    };
    arrive();
    await clock.run(2_000_000);
    // M/M/1: 1 / (capacity - load).
    expect(sum / count / 50).toBeGreaterThan(0.9);
    expect(sum / count / 50).toBeLessThan(1.1);
  });

  it('works on requests that nobody waits for', async () => {
    const clock = new VirtualClock(() => 0);
    const server = new FifoServer(clock, 1, { fromMs: 10_000, toMs: 20_000, factor: 0.5 }, () => 1 - Math.exp(-1));
    const done: number[] = [];
    const ask = (patienceMs: number): void => void server.request(patienceMs).then(() => done.push(clock.now()));
    // A second of work each, two in the time of half the capacity.
    for (const patienceMs of [1e6, 1500, 1e6]) ask(patienceMs);
    clock.timer(9000, () => {
      for (let i = 0; i < 3; i++) ask(1e6);
    });
    await clock.run(Infinity);
    expect(done.map(Math.round)).toEqual([1000, 3000, 10_000, 12_000, 14_000]);
  });
});

it.each(vectors.rows)('the store of the lab answers as Redis does: $terms', ({ requests }) => {
  const server = new BudgetServer(new VirtualClock(() => 0), 0);
  for (const { args, answer } of requests) expect(server.answer(args, answer[1] as number)).toEqual(answer);
});
