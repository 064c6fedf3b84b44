import fc from 'fast-check';
import { FakeClock } from 'retryscope/testing';
import { RedisBudget } from '../../src/limits/redis/index.ts';
import { LEASE_MS, Lease, mostTokens } from '../../src/limits/redis/lease.ts';
import { LocalBucket } from '../../src/limits/redis/local-bucket.ts';
import { probeDelayMs } from '../../src/limits/redis/probe-delay.ts';
import { UNITS_PER_TOKEN } from '../../src/limits/token-units.ts';
import { BucketDouble } from './support/bucket-double.ts';

describe('a lease', () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('add' as const),
      units: fc.integer({ min: 1, max: 1000 }),
      lateMs: fc.integer({ min: 0, max: 50 }),
    }),
    fc.record({ kind: fc.constant('take' as const), units: fc.integer({ min: 1, max: 500 }) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 6000 }) }),
  );

  it('gives no more than was put in during the last five seconds', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const lease = new Lease(50);
        const added: { readonly at: number; readonly units: number }[] = [];
        let [now, given] = [1000, 0];
        for (const one of steps) {
          if (one.kind === 'wait') now += one.ms;
          else if (one.kind === 'add') {
            lease.add(one.units, now - one.lateMs);
            added.push({ at: now - one.lateMs, units: one.units });
          } else {
            const young = added.filter(({ at }) => now < at + LEASE_MS).reduce((sum, { units }) => sum + units, 0);
            const isGiven = lease.tryTake(one.units, now);
            if (isGiven) given += one.units;
            expect(!isGiven || one.units <= young).toBe(true);
          }
          expect(lease.balance(now)).toBeGreaterThanOrEqual(0);
        }
        expect(given).toBeLessThanOrEqual(added.reduce((sum, { units }) => sum + units, 0));
      }),
    );
  });

  it('asks for between one token and the most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.array(fc.integer({ min: 0, max: 3000 })), (most, pauses) => {
        const lease = new Lease(most);
        let now = 0;
        for (const pause of pauses) {
          now += pause;
          const size = lease.nextSize(now);
          expect(size).toBeGreaterThanOrEqual(UNITS_PER_TOKEN);
          expect(size).toBeLessThanOrEqual(most * UNITS_PER_TOKEN);
          lease.add(size, now);
          lease.tryTake(size, now);
        }
      }),
    );
  });

  it('holds what a share of a second brings, from 1 to 50', () => {
    expect([mostTokens(100, 1, 4), mostTokens(0, 100, 2), mostTokens(1e6, 1, 1), mostTokens(1, 1, 100)]).toEqual([
      25, 5, 50, 1,
    ]);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 1, max: 1e5 }),
        (rate, capacity, instances) => {
          const most = mostTokens(rate, capacity, instances);
          expect(Number.isInteger(most) && most >= 1 && most <= 50).toBe(true);
        },
      ),
    );
  });
});

describe('the bucket of one process', () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 5000 }),
    deposit: fc.integer({ min: 0, max: 50 }),
    take: fc.integer({ min: 0, max: 150 }),
  });

  it('gives no more than its capacity, its rate and its deposits', () => {
    fc.assert(
      fc.property(
        fc.array(step),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 0, max: 5 }),
        (steps, capacity, perMs) => {
          const bucket = new LocalBucket(capacity, perMs, 0);
          let [now, given, deposited] = [0, 0, 0];
          for (const { waitMs, deposit, take } of steps) {
            now += waitMs;
            bucket.deposit(deposit);
            deposited += deposit;
            if (bucket.tryTake(take, now)) given += take;
            expect(bucket.balance(now)).toBeGreaterThanOrEqual(0);
            expect(bucket.balance(now)).toBeLessThanOrEqual(capacity);
          }
          expect(given).toBeLessThanOrEqual(capacity + now * perMs + deposited);
        },
      ),
    );
  });
});

describe('probes', () => {
  it('come sooner at first, and at least every 6.25 seconds', () => {
    const delays = Array.from({ length: 12 }, (_, i) => probeDelayMs(i + 1, 0.5));
    expect(delays).toEqual([100, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000, 5000]);
    expect([probeDelayMs(1, 0), probeDelayMs(2000, 0.999_999)]).toEqual([75, expect.closeTo(6250, 0)]);
  });
});

describe('a budget, whatever Redis does', () => {
  const step = fc.record({
    calls: fc.integer({ min: 0, max: 5 }),
    successes: fc.integer({ min: 0, max: 5 }),
    waitMs: fc.integer({ min: 0, max: 200 }),
    behaviour: fc.constantFrom('answers' as const, 'answers' as const, 'hangs' as const, 'refuses' as const),
    latencyMs: fc.constantFrom(0, 3, 30, 49, 51, 70),
    hasScript: fc.boolean(),
  });

  it('P2: spends no more than it was granted and its own bucket allows, and answers in time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 0, max: 30 }), async (steps, tokens) => {
        const clock = new FakeClock();
        const store = new BucketDouble(clock, tokens);
        const budget = new RedisBudget({
          name: 'any',
          redis: store,
          capacity: 30,
          ratio: 0.5,
          expectedInstances: 10,
          clock,
        });
        let [spent, successes] = [0, 0];
        const late: number[] = [];
        const pending = new Set<Promise<void>>();
        for (const { calls, successes: more, waitMs, behaviour, latencyMs, hasScript } of steps) {
          Object.assign(store, { behaviour, latencyMs, hasScript });
          for (let i = 0; i < more; i++) budget.deposit('success');
          successes += more;
          for (let i = 0; i < calls; i++) {
            const askedAt = clock.elapsed;
            const answer = budget.tryWithdraw();
            if (typeof answer !== 'object') {
              if (answer !== undefined) spent++;
              continue;
            }
            const waiting = answer.then(granted => {
              if (granted !== undefined) spent++;
              late.push(clock.elapsed - askedAt);
              pending.delete(waiting);
            });
            pending.add(waiting);
          }
          await clock.advance(waitMs);
        }
        await clock.advance(200);
        expect(pending.size).toBe(0);
        expect(Math.max(0, ...late)).toBeLessThanOrEqual(51);
        // The bucket of the process holds 3 tokens, and its successes fill it too.
        expect(spent).toBeLessThanOrEqual(store.granted + 3 + successes * 0.5);
        const deposited = store.asked.reduce((sum, { deposit }) => sum + deposit, 0);
        expect(deposited).toBeLessThanOrEqual(successes * 0.5);
        budget.close();
        // A request that is on its way still ends.
        await clock.advance(100);
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
