import { expectedLoad, runBernoulli } from '../../benchmarks/storm/bernoulli.ts';
import { runCollapse } from '../../benchmarks/storm/collapse.ts';
import { type Contender, type ContenderName, contenders, shared } from '../../benchmarks/storm/contenders.ts';
import { PUBLISHED } from '../../benchmarks/storm/published.ts';
import { FAILURE_RATES } from '../../benchmarks/storm/scenarios.ts';
import { RetryBudget, WindowBudget } from '../../src/core.ts';

jest.setTimeout(120_000);

const ONE_CLIENT = { clients: 1, callsPerSecond: 100, seconds: 200 };
const FLEET = { clients: 100, callsPerSecond: 10, seconds: 20 };

describe('attempts that fail independently', () => {
  it.each([0.01, 0.05, 0.1, 0.12, 0.15, 0.18, 0.2, 0.3, 0.5, 0.75, 0.9, 1])(
    'load the recommended policy with at most 1.2, at a rate of %d',
    async failureRate => {
      const { load, success } = await runBernoulli({ ...ONE_CLIENT, failureRate }, contenders(4).recommended, 1);
      expect(load).toBeLessThanOrEqual(failureRate === 1 ? 1.1 : 1.2);
      if (failureRate <= 0.1) expect(success).toBeGreaterThanOrEqual(0.999);
    },
  );

  it.each([0.1, 0.15, 0.2, 1])('load it no more in a fleet of 100 that share a budget, at %d', async failureRate => {
    const { load, success } = await runBernoulli({ ...FLEET, failureRate }, contenders(4).sharedRecommended, 1);
    expect(load).toBeLessThanOrEqual(failureRate === 1 ? 1.1 : 1.2);
    if (failureRate <= 0.1) expect(success).toBeGreaterThanOrEqual(0.999);
  });

  it.each<[number, string, Contender]>(
    [0.1, 0.2].flatMap(ratio => [
      [ratio, 'successes', bare(() => new RetryBudget({ ratio, initial: 0 }))],
      [ratio, 'starts', { ...bare(() => undefined), processes: startFunded(ratio) }],
    ]),
  )('agree with theory for a budget of %d of the %s', async (ratio, fundedBy, contender) => {
    for (const failureRate of [0.2, 0.5, 0.75, 1]) {
      const found = await runBernoulli({ ...ONE_CLIENT, failureRate }, contender, 1);
      const theory = expectedLoad(failureRate, { ratio, fundedBy: fundedBy as 'successes' | 'starts' }, 4);
      expect(Math.abs(found.load - theory.load)).toBeLessThan(0.011);
      expect(Math.abs(found.success - theory.success)).toBeLessThan(0.015);
    }
  });

  it.each([
    [0.5, 1.875, 0.9375],
    [1, 4, 0],
  ])('multiply without a budget as the geometric series says, at %d', async (failureRate, load, success) => {
    const found = await runBernoulli({ ...ONE_CLIENT, failureRate }, contenders(4).unlimited, 1);
    expect(Math.abs(found.load - load)).toBeLessThan(0.02);
    expect(Math.abs(found.success - success)).toBeLessThan(0.01);
    if (failureRate === 1) expect(found.load).toBe(4);
  });

  it.each(['unlimited', 'successes10'] as const)('give the published numbers for %s', async name => {
    const cells = PUBLISHED.brooker[100]?.[name] as readonly string[];
    for (const failureRate of [0.05, 0.2, 0.5, 1]) {
      const found = await runBernoulli({ ...FLEET, failureRate }, contenders(4)[name], 1);
      const [load, success] = (cells[FAILURE_RATES.indexOf(failureRate)] as string).split('\n').map(Number) as [
        number,
        number,
      ];
      // A fifth of the time leaves the savings of a hundred budgets a larger part.
      expect(Math.abs(found.load * 100 - load)).toBeLessThan(6);
      expect(Math.abs(found.success * 100 - success)).toBeLessThan(3.5);
    }
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

  it('collapses for good with three tries, and never with a budget or a long backoff', async () => {
    expect(await collapsed('unlimited')).toBeGreaterThanOrEqual(3);
    for (const name of ['none', 'slow', 'successes10', 'recommended'] as const) expect(await collapsed(name)).toBe(0);
  });
});

function bare(create: () => RetryBudget | undefined): Contender {
  return shared('bare', () => {
    const budget = create();
    return { maxAttempts: 4, initialDelay: 0, jitter: false, ...(budget && { budget }) };
  });
}

function startFunded(ratio: number): Contender['processes'] {
  return clock => {
    const budget = new WindowBudget({ ratio, clock });
    return () => ({ maxAttempts: 4, initialDelay: 0, jitter: false, budget });
  };
}
