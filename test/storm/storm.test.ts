import { expectedLoad, runBernoulli } from '../../benchmarks/storm/bernoulli.ts';
import { runCollapse } from '../../benchmarks/storm/collapse.ts';
import { type ContenderName, contenders, each, shared } from '../../benchmarks/storm/contenders.ts';
import { callsAtTheBottom } from '../../benchmarks/storm/layers.ts';
import { HOTOS, OSDI } from '../../benchmarks/storm/scenarios.ts';
import { runStorm, type StormResult } from '../../benchmarks/storm/storm.ts';
import { RetryBudget } from '../../src/core.ts';

// Minutes of a storm in virtual time; what they take of the real one depends on the machine.
jest.setTimeout(120_000);

const trigger = { fromMs: 20_000, toMs: 30_000 };
const hotos = { ...HOTOS, trigger: { ...HOTOS.trigger, ...trigger }, processes: 1 };
const osdi = { ...OSDI, trigger: { ...OSDI.trigger, ...trigger } };

describe('the outage of HotOS 2021', () => {
  const run = (name: ContenderName, seed: number, endMs: number): Promise<StormResult> =>
    runStorm({ ...hotos, endMs }, contenders(2)[name], seed);

  it.each([1, 2, 3])('is over for the default budget as soon as without retries, seed %d', async seed => {
    const without = (await run('none', seed, 240_000)).recoverySeconds as number;
    for (const name of ['successes10', 'recommended'] as const) {
      const { recoverySeconds } = await run(name, seed, 240_000);
      expect(recoverySeconds).toBeLessThanOrEqual(without * 1.15);
    }
  });

  it.each(['unlimited', 'starts10', 'finagle'] as const)('is never over with %s', async name => {
    const { recoverySeconds, finalAmplification } = await run(name, 1, 160_000);
    expect(recoverySeconds).toBeUndefined();
    expect(finalAmplification).toBeGreaterThan(1.05);
  });
});

describe('the outage of OSDI 2022', () => {
  const run = (name: ContenderName, processes: number, seed: number, endMs: number): Promise<StormResult> =>
    runStorm({ ...osdi, processes, endMs }, contenders(5)[name], seed);

  it.each([1, 10, 100])('is over within 25 s with a shared budget, for %d processes', async processes => {
    for (const seed of [1, 2, 3]) {
      for (const name of ['shared10', 'sharedRecommended'] as const) {
        const { recoverySeconds, peakAmplification } = await run(name, processes, seed, 120_000);
        expect({ name, seed, recoverySeconds }).toEqual({ name, seed, recoverySeconds: expect.any(Number) });
        expect(recoverySeconds).toBeLessThanOrEqual(25);
        expect(peakAmplification).toBeLessThanOrEqual(1.3);
      }
    }
  });

  it.each<[ContenderName, number, number]>([
    ['grpc10', 20, 50],
    ['successes10', 45, 90],
    ['aws14', 150, 230],
  ])('takes a fleet of 100 with %s from %d to %d s', async (name, least, most) => {
    const { recoverySeconds } = await run(name, 100, 1, 280_000);
    expect(recoverySeconds).toBeGreaterThanOrEqual(least);
    expect(recoverySeconds).toBeLessThanOrEqual(most);
  });

  it.each<ContenderName>(['unlimited', 'jitter', 'finagle', 'capacity100', 'grpc1000'])(
    'is never over for a fleet of 100 with %s',
    async name => {
      expect((await run(name, 100, 1, 160_000)).recoverySeconds).toBeUndefined();
    },
  );

  it('is the same for the same seed, and another for another', async () => {
    const [one, again, other] = [
      await run('shared10', 10, 7, 60_000),
      await run('shared10', 10, 7, 60_000),
      await run('shared10', 10, 8, 60_000),
    ];
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });
});

describe('a load that retries may multiply', () => {
  // OSDI 2022, theorem 2: without a budget a service stays stable below capacity / (1 + retries). It is a bound from below.
  it.each([
    [1, 45, 60],
    [2, 30, 50],
    [4, 18, 40],
  ])('of %d retries is survived at %d calls/s and not at %d', async (retries, stable, unstable) => {
    const policy = contenders(retries + 1).unlimited;
    const setting = { ...osdi, processes: 1, endMs: 120_000 };
    expect((await runStorm({ ...setting, load: stable }, policy, 2)).recoverySeconds).toBeDefined();
    expect((await runStorm({ ...setting, load: unstable }, policy, 2)).recoverySeconds).toBeUndefined();
  });
});

describe('attempts that fail independently', () => {
  const setting = { clients: 1, callsPerSecond: 100, seconds: 200 };

  it.each([0.01, 0.05, 0.1, 0.12, 0.15, 0.18, 0.2, 0.3, 0.5, 0.75, 0.9, 1])(
    'load the recommended policy with at most 1.2, at a rate of %d',
    async failureRate => {
      const { load, success } = await runBernoulli({ ...setting, failureRate }, contenders(4).recommended, 1);
      expect(load).toBeLessThanOrEqual(failureRate === 1 ? 1.1 : 1.2);
      if (failureRate <= 0.1) expect(success).toBeGreaterThanOrEqual(0.999);
    },
  );

  it.each([0.2, 0.5, 0.75, 1])('agree with theory for a budget without savings, at a rate of %d', async failureRate => {
    for (const ratio of [0.1, 0.2]) {
      const budget = shared('bare', () => ({
        maxAttempts: 4,
        initialDelay: 0,
        jitter: false,
        budget: new RetryBudget({ ratio, initial: 0, capacity: 10 }),
      }));
      const found = await runBernoulli({ ...setting, failureRate }, budget, 1);
      const theory = expectedLoad(failureRate, ratio, 4);
      expect(Math.abs(found.load - theory.load)).toBeLessThan(0.01);
      expect(Math.abs(found.success - theory.success)).toBeLessThan(0.015);
    }
  });

  it('multiply without a budget as the geometric series says', async () => {
    const unlimited = each('unlimited', () => ({ maxAttempts: 4, initialDelay: 0, jitter: false }));
    const { load, success } = await runBernoulli({ ...setting, failureRate: 0.5 }, unlimited, 1);
    expect(load).toBeCloseTo(1.875, 1);
    expect(success).toBeCloseTo(1 - 0.5 ** 4, 1);
  });
});

describe('the burst that Brooker’s service does not survive', () => {
  const collapsed = async (name: ContenderName): Promise<number> => {
    let count = 0;
    for (const seed of [1, 2, 3, 4, 5]) {
      const { arrivals, goodput } = await runCollapse(contenders(3)[name], seed);
      if (goodput < arrivals / 2) count++;
    }
    return count;
  };

  it('collapses for good with three tries, and never with a budget', async () => {
    expect(await collapsed('unlimited')).toBeGreaterThanOrEqual(3);
    for (const name of ['none', 'successes10', 'recommended'] as const) expect(await collapsed(name)).toBe(0);
  });
});

it('three layers of four attempts make 4 calls at the bottom, where they would make 64', async () => {
  expect(await callsAtTheBottom(3, { maxAttempts: 4 })).toBe(4);
  expect(await callsAtTheBottom(3, { maxAttempts: 4, nested: 'both' })).toBe(64);
});
