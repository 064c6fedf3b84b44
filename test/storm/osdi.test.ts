import { type ContenderName, contenders } from '../../benchmarks/storm/contenders.ts';
import { OSDI } from '../../benchmarks/storm/scenarios.ts';
import { runStorm, type StormResult } from '../../benchmarks/storm/storm.ts';

// Minutes of a storm in virtual time; what they take of the real one depends on the machine.
jest.setTimeout(120_000);

const SETTING = { ...OSDI, trigger: { ...OSDI.trigger, fromMs: 20_000, toMs: 30_000 } };

function run(name: ContenderName, processes: number, seed: number, endMs: number): Promise<StormResult> {
  return runStorm({ ...SETTING, processes, endMs }, contenders(5)[name], seed);
}

describe('the outage of OSDI 2022', () => {
  it.each([1, 10, 100])('is over within 25 s with one budget for all, for %d processes', async processes => {
    for (const seed of [1, 2, 3]) {
      const without = (await run('none', processes, seed, 120_000)).recoverySeconds as number;
      for (const name of ['shared10', 'sharedRecommended', 'fleet10', 'fleetRecommended'] as const) {
        const { recoverySeconds = Infinity, peakAmplification } = await run(name, processes, seed, 120_000);
        const found = { name, seed, recoverySeconds, peakAmplification };
        expect(found).toEqual({ ...found, recoverySeconds: Math.min(recoverySeconds, 25, without + 6) });
        expect(found).toEqual({ ...found, peakAmplification: Math.min(peakAmplification, 1.3) });
      }
    }
  });

  it('is over within 30 s for a fleet of 100 whose Redis is down', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockReturnValue();
    const { recoverySeconds, peakAmplification } = await run('fleetDown', 100, 1, 120_000);
    warn.mockRestore();
    expect(recoverySeconds).toBeLessThanOrEqual(30);
    expect(peakAmplification).toBeLessThanOrEqual(1.4);
  });

  it.each<[ContenderName, number, number]>([
    ['grpc10', 20, 50],
    ['breaker', 20, 50],
    ['successes10', 45, 90],
    ['starts10', 80, 140],
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

  it('is never over with a floor of ten retries a second, not even for one process', async () => {
    expect((await run('finagle', 1, 1, 200_000)).recoverySeconds).toBeUndefined();
  });
});

describe('a load that retries may multiply', () => {
  // Theorem 2: without a budget a service stays stable below capacity / (1 + retries). It is a bound from below.
  it.each([
    [1, 45, 55],
    [2, 30, 45],
    [3, 22, 40],
    [4, 18, 40],
  ])('of %d retries is survived at %d calls/s and not at %d', async (retries, stable, unstable) => {
    const policy = contenders(retries + 1).unlimited;
    const setting = { ...SETTING, processes: 1, endMs: 160_000 };
    expect((await runStorm({ ...setting, load: stable }, policy, 2)).recoverySeconds).toBeDefined();
    expect((await runStorm({ ...setting, load: unstable }, policy, 2)).recoverySeconds).toBeUndefined();
  });
});
