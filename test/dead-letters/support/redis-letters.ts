import type { Redis } from 'ioredis';
import type { DeadLetterStore, Retention } from 'retryscope/dead-letters';
import {
  type RedisClient,
  RedisDeadLetterStore,
  type RedisDeadLetterStoreOptions,
} from '../../../src/recovery/dead-letters/redis/index.ts';
import type { StoreUnderTest } from '../contract.ts';

/** A server that keeps what it acknowledges. */
export const DURABLE: readonly string[] = ['--appendonly', 'yes', '--appendfsync', 'always'];

let stores = 0;

/** A store whose keys nobody else has. */
export function emptyStore(
  redis: RedisClient,
  options: Omit<RedisDeadLetterStoreOptions, 'redis'> = {},
): RedisDeadLetterStore {
  return new RedisDeadLetterStore({ redis, keyPrefix: `letters-${process.pid}-${++stores}:`, ...options });
}

/** A store on real time: Redis knows no other. */
export function onRealTime(redis: () => RedisClient): StoreUnderTest {
  return {
    open: async (retention?: Retention) => emptyStore(redis(), retention && { retention }),
    advance: ms => new Promise(resolve => setTimeout(resolve, ms)),
    now: () => Date.now(),
    tick: 150,
  };
}

/** Sees to it that the keys of a store agree with each other, and that every letter can be read. Gives the ids. */
export async function expectConsistent(
  admin: Redis,
  store: DeadLetterStore & { readonly key: string },
): Promise<string[]> {
  const { key } = store;
  const [entries, index, order, records, claims, open] = await Promise.all([
    admin.xrange(key, '-', '+'),
    admin.hgetall(`${key}:index`),
    admin.zrange(`${key}:order`, '0', '-1'),
    admin.zrange(`${key}:records`, '0', '-1'),
    admin.zrange(`${key}:claims`, '0', '-1'),
    admin.zrange(`${key}:open`, '0', '-1'),
  ]);
  const ids = order.map(place => place.slice(17));
  const all = Object.values(index).map(text => JSON.parse(text) as Record<string, string>);
  const idsIn = (...states: readonly string[]): (string | undefined)[] =>
    all.filter(({ state }) => states.includes(state as string)).map(({ id }) => id);
  const stats = await store.stats();
  expect(entries.map(([, fields]) => fields[1]).sort()).toEqual([...ids].sort());
  expect(all.map(({ entry }) => entry).sort()).toEqual(entries.map(([entry]) => entry).sort());
  expect(Object.keys(index).sort()).toEqual([...ids].sort());
  expect(records.map(place => place.slice(17)).sort()).toEqual(idsIn('redriven').sort());
  expect(open.map(place => place.slice(58)).sort()).toEqual(idsIn('dead', 'claimed').sort());
  expect(claims.sort()).toEqual(idsIn('claimed').sort());
  expect(stats.letters).toBe(ids.length);
  expect(stats.bytes).toBe(entries.reduce((sum, [, fields]) => sum + Buffer.byteLength(fields[3] as string), 0));
  for (const [, fields] of entries) expect(JSON.parse(fields[3] as string)).toMatchObject({ id: fields[1] });
  return ids;
}
