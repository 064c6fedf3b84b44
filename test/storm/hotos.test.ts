import { type ContenderName, contenders } from '../../benchmarks/storm/contenders.ts';
import { HOTOS } from '../../benchmarks/storm/scenarios.ts';
import { runStorm, type StormResult } from '../../benchmarks/storm/storm.ts';

// Minutes of a storm in virtual time; what they take of the real one depends on the machine.
jest.setTimeout(120_000);

const SETTING = { ...HOTOS, trigger: { ...HOTOS.trigger, fromMs: 10_000, toMs: 20_000 } };

function run(name: ContenderName, seed: number, endMs: number, processes = 1): Promise<StormResult> {
  return runStorm({ ...SETTING, processes, endMs }, contenders(2)[name], seed);
}

/** Long enough for whatever recovers. */
const LONG_MS = 220_000;
const withoutRetries = new Map<number, Promise<StormResult>>();

async function secondsWithoutRetries(seed: number): Promise<number> {
  const found = withoutRetries.get(seed) ?? run('none', seed, LONG_MS);
  withoutRetries.set(seed, found);
  return (await found).recoverySeconds ?? Number.NaN;
}

describe('the outage of HotOS 2021', () => {
  it.each([1, 2, 3])('is over for the default budget as soon as without retries, seed %d', async seed => {
    const without = await secondsWithoutRetries(seed);
    expect(without).toBeGreaterThan(60);
    for (const name of ['successes10', 'recommended'] as const) {
      const { recoverySeconds, finalAmplification } = await run(name, seed, LONG_MS);
      expect(recoverySeconds).toBeLessThanOrEqual(without * 1.15);
      expect(finalAmplification).toBeLessThan(1.02);
    }
  });

  it.each([1, 2, 3])('is never over for retries without a budget, seed %d', async seed => {
    const { recoverySeconds, finalAmplification } = await run('unlimited', seed, 120_000);
    expect(recoverySeconds).toBeUndefined();
    expect(finalAmplification).toBeGreaterThan(1.9);
  });

  it.each(['starts10', 'starts7', 'window20', 'finagle'] as const)(
    'is never over with %s, since those who start pay for retries',
    async name => {
      const { recoverySeconds, finalAmplification } = await run(name, 1, 180_000);
      expect(recoverySeconds).toBeUndefined();
      expect(finalAmplification).toBeGreaterThan(1.05);
    },
  );

  it.each(['windowSuccesses', 'grpc10', 'aws14'] as const)(
    'is over with %s, since successes pay for retries',
    async name => {
      const without = await secondsWithoutRetries(1);
      const { recoverySeconds } = await run(name, 1, LONG_MS);
      expect(recoverySeconds).toBeLessThanOrEqual(without * 1.4);
    },
  );

  it('is over sooner with a breaker, which keeps first attempts away too', async () => {
    const { recoverySeconds } = await run('breaker', 1, 80_000);
    expect(recoverySeconds).toBeLessThan(40);
  });
});
