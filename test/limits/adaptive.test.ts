import { AcceptThrottle, CubicRate, retry, retrySummary } from '../../src/core.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { outcomeOf } from '../support/settle.ts';

let clock: FakeClock;
beforeEach(() => {
  clock = new FakeClock();
});

/** Sends as fast as the limit lets it to a server that throttles above a rate; gives the sends of each second. */
async function sendTo(
  limit: CubicRate,
  workers: number,
  seconds: number,
  rateIn: (second: number) => number,
): Promise<number[]> {
  const sent = Array.from({ length: seconds }, () => 0);
  let tokens = 1;
  let filledAt = 0;
  const work = async (): Promise<void> => {
    while (clock.elapsed < seconds * 1000) {
      const waitMs = limit.admit();
      await clock.sleep((waitMs ?? 1000) + 50, undefined, 'ref');
      const second = Math.floor(clock.elapsed / 1000);
      if (waitMs === undefined || second >= seconds) continue;
      sent[second] = (sent[second] ?? 0) + 1;
      const rate = rateIn(second);
      tokens = Math.min(rate, tokens + ((clock.elapsed - filledAt) * rate) / 1000);
      filledAt = clock.elapsed;
      const isAccepted = tokens >= 1;
      if (isAccepted) tokens--;
      limit.record(isAccepted ? 'success' : 'throttled');
    }
  };
  const all = Promise.all(Array.from({ length: workers }, work));
  await clock.runAll(Infinity);
  await all;
  return sent;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('CubicRate', () => {
  it('limits nothing before the first throttle', () => {
    const rate = new CubicRate({ clock });
    for (let i = 0; i < 1000; i++) {
      expect(rate.admit()).toBe(0);
      rate.record(i % 2 === 0 ? 'failure' : 'success');
    }
    expect(rate.ratePerSecond).toBe(Infinity);
  });

  it('takes a throttle for no less than the least rate', () => {
    const rate = new CubicRate({ clock });
    rate.record('throttled');
    expect(rate.ratePerSecond).toBe(0.5);
    rate.record('ignored');
    expect([rate.admit(), rate.admit(), rate.admit(), rate.admit()]).toEqual([2000, 4000, undefined, undefined]);
  });

  it('T33: never lets a first attempt wait longer than its bound', async () => {
    const rate = new CubicRate({ clock, maxWaitMs: 1500 });
    rate.record('throttled');
    const work = jest.fn(() => 1);
    const refused = await outcomeOf(retry(work, { clock, adaptive: rate }));
    expect(refused).toMatchObject({ error: { code: 'ERR_RETRY_RATE_LIMITED' } });
    expect(retrySummary((refused as { error: unknown }).error)?.reason).toBe('budget_exhausted');
    expect([work.mock.calls.length, clock.elapsed]).toEqual([0, 0]);
    await clock.advance(1000);
    const waited = outcomeOf(retry(work, { clock, adaptive: rate }));
    await clock.runAll();
    expect(await waited).toEqual({ value: 1 });
    expect(clock.elapsed).toBe(2000);
  });

  it('fills no higher than a second of its rate, however long it was idle', async () => {
    const rate = new CubicRate({ clock });
    rate.record('throttled');
    await clock.advance(3_600_000);
    expect([rate.admit(), rate.admit()]).toEqual([0, 2000]);
  });

  it('finds the rate of the server', async () => {
    const sent = await sendTo(new CubicRate({ clock }), 10, 30, () => 20);
    expect(mean(sent.slice(15))).toBeGreaterThanOrEqual(10);
    expect(mean(sent.slice(15))).toBeLessThanOrEqual(30);
  });

  it('slows down when the server does, and recovers after it', async () => {
    const sent = await sendTo(new CubicRate({ clock }), 10, 60, second => (second >= 10 && second < 12 ? 20 : 10_000));
    expect(mean(sent.slice(11, 14))).toBeLessThan(mean(sent.slice(5, 10)) / 2);
    expect(mean(sent.slice(55))).toBeGreaterThan(20);
  });

  it('lets calls of one policy take turns', async () => {
    const rate = new CubicRate({ clock, maxWaitMs: 60_000 });
    rate.record('throttled');
    const times: number[] = [];
    const calls = Array.from({ length: 5 }, () => retry(() => times.push(clock.elapsed), { clock, adaptive: rate }));
    await clock.advance(10_000);
    expect(times).toEqual([2000, 4000, 6000, 8000, 10_000]);
    await Promise.all(calls);
  });

  it.each([
    [{ maxWaitMs: -1 }, 'maxWaitMs is -1; it must be a number of milliseconds from 0 to 2147483647'],
    [{ maxWait: 5 }, 'did you mean "maxWaitMs"?'],
  ])('refuses %j', (options, message) => {
    expect(() => new CubicRate(options as object)).toThrow(message);
  });
});

describe('AcceptThrottle', () => {
  it('counts requests when they are asked for, also those that it refuses', () => {
    const throttle = new AcceptThrottle({ clock });
    clock.nextRandom = 0.9;
    for (let i = 0; i < 9; i++) expect(throttle.admit()).toBe(0);
    expect(throttle.refusalProbability).toBe(0.9);
    clock.nextRandom = 0.89;
    expect(throttle.admit()).toBeUndefined();
    expect(throttle.refusalProbability).toBeCloseTo(10 / 11, 12);
  });

  it('sends about k times what is accepted', () => {
    const throttle = new AcceptThrottle({ clock, k: 2 });
    let sent = 0;
    let accepted = 0;
    let room = 0;
    for (let i = 0; i < 20_000; i++) {
      room = Math.min(1, room + 0.1);
      clock.nextRandom = (i * 0.618_033_988_749_895) % 1;
      if (throttle.admit() === undefined) continue;
      sent++;
      const isAccepted = room > 0.999;
      if (isAccepted) {
        accepted++;
        room = 0;
      }
      throttle.record(isAccepted ? 'success' : i % 2 === 0 ? 'failure' : 'throttled');
    }
    expect(sent / accepted).toBeGreaterThan(1.9);
    expect(sent / accepted).toBeLessThan(2.1);
  });

  it('forgets after its window, and what says nothing at once', async () => {
    const throttle = new AcceptThrottle({ clock, windowMs: 60_000 });
    clock.nextRandom = 0.999;
    throttle.admit();
    throttle.record('ignored');
    expect(throttle.refusalProbability).toBe(0);
    for (let i = 0; i < 50; i++) throttle.admit();
    expect(throttle.refusalProbability).toBeGreaterThan(0.9);
    await clock.advance(60_000);
    expect(throttle.refusalProbability).toBe(0);
  });

  it.each([
    [{ k: 0.5 }, 'k is 0.5; it must be a number from 1 to 100'],
    [{ windowMs: 10 }, 'windowMs is 10; it must be a number from 1000 to 3600000'],
  ])('refuses %j', (options, message) => {
    expect(() => new AcceptThrottle(options)).toThrow(message);
  });
});
