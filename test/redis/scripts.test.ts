import { createHash } from 'node:crypto';
import { breakerScript } from '../../src/limits/redis/breaker-script.ts';
import { budgetScript, readAnswer, scriptArguments } from '../../src/limits/redis/budget-script.ts';
import { describeWithRedis } from './support/needs-redis.ts';
import { type OwnRedis, startRedis } from './support/redis-server.ts';

// Real servers on real time, on machines that may be busy.
jest.setTimeout(60_000);

it.each([
  ['budget', budgetScript],
  ['breaker', breakerScript],
])('the digest of the %s script is right', (_, { lua, sha }) => {
  expect(sha).toBe(createHash('sha1').update(lua).digest('hex'));
});

describeWithRedis('the budget script', () => {
  const TOKEN = 1_000_000_000;
  const KEY = '{script}';
  let redis: OwnRedis;

  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.end());
  beforeEach(() => redis.admin.flushall());

  interface Case {
    readonly capacity?: number;
    readonly perSecond?: number;
    readonly need?: number;
    readonly instances?: number;
    readonly deposit?: number;
    readonly want?: number;
    readonly taken?: number;
    readonly validUntil?: number;
    readonly birth?: number;
    readonly granted?: number;
  }

  async function run(given: Case) {
    const args = scriptArguments(
      {
        capacityUnits: (given.capacity ?? 100) * TOKEN,
        unitsPerMs: ((given.perSecond ?? 0) * TOKEN) / 1000,
        needUnits: (given.need ?? 1) * TOKEN,
        instances: given.instances ?? 1,
      },
      { deposit: (given.deposit ?? 0) * TOKEN, want: (given.want ?? 0) * TOKEN, taken: (given.taken ?? 0) * TOKEN },
      given.validUntil ?? 0,
      { birth: given.birth ?? 0, granted: (given.granted ?? 0) * TOKEN },
    );
    const answer = readAnswer(await redis.admin.eval(budgetScript.lua, 1, KEY, ...args));
    if (answer.kind === 'late') return { kind: 'late' as const };
    const { granted, balance, waitMs, memory } = answer;
    return { granted: granted / TOKEN, balance: balance / TOKEN, waitMs, birth: memory.birth };
  }

  /** Gives the time of Redis from which it goes on. */
  async function store(tokens: number, agoMs: number, granted = 0, birth = 1): Promise<number> {
    const storedAt = await now();
    const at = storedAt - agoMs;
    await redis.admin.hset(KEY, { tokens: tokens * TOKEN, at, granted: granted * TOKEN, birth });
    return storedAt;
  }

  async function now(): Promise<number> {
    const [seconds, micros] = await redis.admin.time();
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }

  it('starts a key that is not there at half', async () => {
    expect(await run({ want: 80 })).toMatchObject({ granted: 50, balance: 0 });
  });

  it('starts a tiny one with a retry', async () => {
    expect(await run({ capacity: 1, want: 1 })).toMatchObject({ granted: 1 });
    await redis.admin.flushall();
    expect(await run({ capacity: 14, need: 14, want: 14 })).toMatchObject({ granted: 14 });
  });

  it('refills by time, up to the capacity', async () => {
    const storedAt = await store(0, 3000);
    const first = await run({ perSecond: 10 });
    // What comes in while the test gets no turn is no fault of the script.
    const sinceThen = ((await now()) - storedAt) / 1000;
    expect(first).toMatchObject({ balance: expect.any(Number) });
    expect((first as { balance: number }).balance).toBeGreaterThanOrEqual(30);
    expect((first as { balance: number }).balance).toBeLessThanOrEqual(30 + 10 * sinceThen + 0.001);
    await store(0, 3_600_000);
    expect(await run({ perSecond: 10 })).toMatchObject({ balance: 100 });
  });

  it('takes deposits in, up to the capacity', async () => {
    await store(10, 0);
    expect(await run({ deposit: 7.25 })).toMatchObject({ balance: 17.25 });
    expect(await run({ deposit: 500 })).toMatchObject({ balance: 100 });
  });

  it('a stamp of an hour ahead does not freeze it', async () => {
    await store(0, -3_600_000);
    await run({ perSecond: 10 });
    expect(Number(await redis.admin.hget(KEY, 'at'))).toBeLessThanOrEqual(await now());
  });

  it('grants no more than there is, in whole retries', async () => {
    await store(7.9, 0);
    expect(await run({ want: 50 })).toMatchObject({ granted: 7, balance: 0.9 });
    await store(20, 0);
    expect(await run({ need: 6, want: 18 })).toMatchObject({ granted: 18, balance: 2 });
  });

  it.each<[string, Case, number, number | undefined]>([
    ['nothing when there is one', { perSecond: 1 }, 5, 0],
    ['the time that it takes', { perSecond: 2 }, 0, 500],
    ['the time for the dearer retry', { perSecond: 2, need: 5 }, 1, 2000],
    ['nobody knows when only successes pay', {}, 0.5, undefined],
    ['at most an hour', { perSecond: 0.000001 }, 0, 3_600_000],
  ])('tells how long to wait: %s', async (_, given, tokens, waitMs) => {
    const storedAt = await store(tokens, 0);
    const answer = await run({ ...given, want: 0 });
    const sinceThen = (await now()) - storedAt;
    if (waitMs === undefined || waitMs === 0) expect(answer).toMatchObject({ waitMs });
    // Some time passes between the test's look at the clock and the script's.
    else expect(waitMs - ((answer as { waitMs: number }).waitMs ?? 0)).toBeLessThanOrEqual(sinceThen);
  });

  it('gives one process its share of what is stored in a second, and of what flows in all', async () => {
    await store(100, 0);
    expect(await run({ instances: 4, want: 60 })).toMatchObject({ granted: 25 });
    expect(await run({ instances: 4, want: 60, taken: 25 })).toMatchObject({ granted: 0, waitMs: 0 });
    expect(await run({ instances: 4, want: 60 })).toMatchObject({ granted: 18 });
    await store(100, 0);
    expect(await run({ instances: 4, perSecond: 10, want: 60 })).toMatchObject({ granted: 35 });
  });

  it('a share is at least one retry', async () => {
    await store(2, 0);
    expect(await run({ instances: 1000, want: 5 })).toMatchObject({ granted: 1 });
    expect(await run({ instances: 1000, want: 5, taken: 1 })).toMatchObject({ granted: 0 });
  });

  it('refuses what comes too late, and changes nothing', async () => {
    await store(10, 0);
    const before = await redis.admin.hgetall(KEY);
    expect(await run({ want: 5, deposit: 5, validUntil: (await now()) - 1 })).toEqual({ kind: 'late' });
    expect(await redis.admin.hgetall(KEY)).toEqual(before);
    expect(await run({ want: 5, validUntil: (await now()) + 60_000 })).toMatchObject({ granted: 5 });
  });

  it('takes off what it granted and has forgotten', async () => {
    await store(50, 0, 100, 7);
    expect(await run({ birth: 7, granted: 130 })).toMatchObject({ balance: 20 });
    expect(await run({ birth: 7, granted: 130 })).toMatchObject({ balance: 20 });
    await store(50, 0, 100, 7);
    expect(await run({ birth: 7, granted: 100_000 })).toMatchObject({ balance: -100 });
    await store(50, 0, 100, 8);
    expect(await run({ birth: 7, granted: 100_000 })).toMatchObject({ balance: 50 });
  });

  it('counts anew before units are no longer exact', async () => {
    await store(50, 0, 4_600_000, 7);
    const answer = await run({ want: 1, birth: 7, granted: 4_600_000 });
    expect(answer).toMatchObject({ granted: 1, balance: 49 });
    expect(await redis.admin.hget(KEY, 'granted')).toBe(String(TOKEN));
    expect(await redis.admin.hget(KEY, 'birth')).not.toBe('7');
  });

  it.each([
    ['nan', { tokens: 'nan' }],
    ['texts', { tokens: 'many', at: 'now' }],
    ['half a record', { tokens: '5' }],
    ['a time below nothing', { tokens: '5', at: '-1', granted: '0', birth: '1' }],
    ['grants below nothing', { tokens: '5', at: '1', granted: '-1', birth: '1' }],
  ])('takes rubbish for a new key: %s', async (_, record) => {
    await redis.admin.hset(KEY, record);
    expect(await run({ want: 80 })).toMatchObject({ granted: 50 });
  });

  it('an endless balance is only a full one', async () => {
    await redis.admin.hset(KEY, { tokens: 'inf', at: '1', granted: '0', birth: '1' });
    expect(await run({ want: 500 })).toMatchObject({ granted: 100, balance: 0 });
  });

  it.each<[string, Case, number, number]>([
    ['an hour and the time to fill', { perSecond: 1 }, 3_690_000, 3_700_000],
    ['a day when only successes pay', {}, 86_390_000, 86_400_000],
    ['a month at most', { perSecond: 1e-9 }, 2_595_590_000, 2_595_600_000],
  ])('keeps an idle key for %s', async (_, given, least, most) => {
    await run(given);
    const ttl = await redis.admin.pttl(KEY);
    expect(ttl).toBeGreaterThan(least);
    expect(ttl).toBeLessThanOrEqual(most);
  });
});
