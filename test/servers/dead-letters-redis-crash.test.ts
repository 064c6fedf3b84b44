import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RedisDeadLetterStore } from '../../src/recovery/dead-letters/redis/index.ts';
import { describeWhere, STRACE } from '../dead-letters/support/describe-where.ts';
import { holdOne } from '../dead-letters/support/hold-one.ts';
import { letterWith } from '../dead-letters/support/letters.ts';
import { bundle, startProcess, type TestProcess } from '../dead-letters/support/processes.ts';
import { DURABLE, emptyStore, expectConsistent } from '../dead-letters/support/redis-letters.ts';
import { connect, PACKAGES, type TestClient } from '../redis/support/clients.ts';
import { describeWithRedis } from '../redis/support/needs-redis.ts';
import { type OwnRedis, startRedis } from '../redis/support/redis-server.ts';
import { until } from '../redis/support/until.ts';

// The server is killed while letters are written, again and again: whatever it has acknowledged must be there.

jest.setTimeout(240_000);

const KILLS = 15;
const LETTERS = 500;
const REDRIVERS = 4;
const REDRIVER_KILLS = 6;

describeWithRedis('a server of letters', () => {
  let redis: OwnRedis;
  const clients: TestClient[] = [];
  let running: TestProcess[] = [];
  beforeEach(async () => {
    redis = await startRedis(...DURABLE);
  });
  afterEach(async () => {
    // A test that failed has left some.
    for (const one of running.splice(0)) one.kill();
    for (const client of clients.splice(0)) client.end();
    await redis?.end();
  });
  const storeOf = async (writer: number, keyPrefix: string, timeoutMs = 10_000): Promise<RedisDeadLetterStore> => {
    const client = await connect(PACKAGES[writer % PACKAGES.length] as (typeof PACKAGES)[number], redis.url);
    clients.push(client);
    return emptyStore(client.redis, { keyPrefix, timeoutMs, retention: { maxCount: 1_000_000 } });
  };

  it.each([1, 4])(`that is killed ${KILLS} times while %i write loses none that it acknowledged`, async writers => {
    const stores = await Promise.all(Array.from({ length: writers }, (_, i) => storeOf(i, 'crash:', 1000)));
    const acknowledged: string[] = [];
    let [isOver, refused] = [false, 0];
    const write = async (store: RedisDeadLetterStore): Promise<void> => {
      while (!isOver) {
        const letter = letterWith({ diedAt: Date.now() });
        try {
          await store.put(letter);
          acknowledged.push(letter.id);
        } catch {
          refused++;
          await pause(2);
        }
      }
    };
    const writing = stores.map(write);
    try {
      for (let kills = 0; kills < KILLS; kills++) {
        const before = acknowledged.length;
        await until(() => acknowledged.length > before);
        await pause(5 + Math.random() * 40);
        await redis.kill();
        await redis.restart();
      }
    } finally {
      // Also where it fails, or they would write for ever.
      isOver = true;
      await Promise.all(writing);
    }
    // A letter whose writer has given up waiting may still come, in the middle of the look. What is wrong stays wrong.
    const stored = new Set<string>();
    await until(async () => {
      for (const id of await expectConsistent(redis.admin, stores[0] as RedisDeadLetterStore)) stored.add(id);
      return true;
    });
    process.stdout.write(
      `${writers} writers, ${KILLS} kills: ${acknowledged.length} acknowledged, ${stored.size} stored, ${refused} refused\n`,
    );
    expect(acknowledged.length).toBeGreaterThan(KILLS);
    expect(acknowledged.filter(id => !stored.has(id))).toEqual([]);
  });

  it(`lets ${REDRIVERS} redrivers that are killed ${REDRIVER_KILLS} times send each of ${LETTERS} letters, and note each once`, async () => {
    const store = await storeOf(0, 'redrivers:');
    const folder = mkdtempSync(join(tmpdir(), 'dead-letters-redis-'));
    const [redriver, deliveries] = [bundle('redis-redriver.ts', folder), join(folder, 'deliveries')];
    for (let i = 0; i < LETTERS; i++) {
      const payload = { kind: 'plain', json: `[{"order":${i}}]`, version: 1, bytes: 13, altered: [] } as const;
      await store.put(letterWith({ payload, diedAt: Date.now() }));
    }
    const start = (): TestProcess => startProcess(redriver, [redis.url, 'redrivers:', deliveries]);
    const held = await holdOne(store);
    running = Array.from({ length: REDRIVERS }, start);
    const all = [...running];
    let interrupted = 0;
    for (let kills = 0; kills < REDRIVER_KILLS; kills++) {
      const victim = kills % REDRIVERS;
      // One that comes late may find that the others have taken all of them.
      await until(async () => (running[victim]?.lines.length ?? 0) > 1 || (await held.isTheLast()));
      running[victim]?.kill();
      // One that had finished by itself was not interrupted.
      if ((await running[victim]?.ended) !== 0) interrupted++;
      const next = start();
      running[victim] = next;
      all.push(next);
    }
    await held.letGo();
    expect(await Promise.all(running.map(({ ended }) => ended))).toEqual(Array(REDRIVERS).fill(0));

    const noted = all.flatMap(({ lines }) => lines).filter(line => line.startsWith('redriven '));
    const sent = readFileSync(deliveries, 'utf8').trimEnd().split('\n');
    rmSync(folder, { recursive: true });
    process.stdout.write(`${interrupted} killed at work, ${sent.length} deliveries of ${LETTERS} letters\n`);
    // In the store: each letter is done with, and was so once.
    await expectConsistent(redis.admin, store);
    const { letters } = await store.list({ states: ['redriven'] }, { limit: 1000 });
    expect(letters.filter(({ redrives }) => redrives === 1)).toHaveLength(LETTERS);
    expect(new Set(noted).size).toBe(noted.length);
    // Toward the outside: at least once, and more than once only where a redriver was killed between the two.
    expect(new Set(sent).size).toBe(LETTERS);
    expect(sent.length - LETTERS).toBeLessThanOrEqual(interrupted);
    expect(interrupted).toBeGreaterThan(0);
  });

  it('whose log has a torn end starts, and has every letter before it', async () => {
    const store = await storeOf(0, 'torn:');
    const letters = Array.from({ length: 20 }, () => letterWith({ diedAt: Date.now() }));
    for (const letter of letters) await store.put(letter);
    await redis.kill();
    const folder = join(redis.folder, 'appendonlydir');
    const file = execFileSync('sh', ['-c', 'ls "$0"/*.incr.aof', folder], { encoding: 'utf8' }).trim();
    execFileSync('truncate', ['-s', '-7', file]);
    await redis.restart();
    await until(async () => (await store.stats().catch(() => undefined)) !== undefined);
    const stored = await expectConsistent(redis.admin, store);
    expect(stored).toEqual(letters.slice(0, -1).map(({ id }) => id));
  });

  describeWhere('what is acknowledged', STRACE, ({ it }) => {
    it('is on the disk: one fsync for each letter', async () => {
      const store = await storeOf(0, 'synced:');
      await store.put(letterWith({ diedAt: Date.now() }));
      const pid = /process_id:(\d+)/.exec(await redis.admin.info('server'))?.[1] as string;
      const trace = join(redis.folder, 'trace');
      const strace = spawn('strace', ['-f', '-e', 'trace=fsync,fdatasync', '-o', trace, '-p', pid], {
        stdio: 'pipe',
      });
      await once(strace.stderr, 'data');
      const letters = 100;
      const syncs = (): number => readFileSync(trace, 'utf8').match(/f(?:data)?sync\(/g)?.length ?? 0;
      let before = syncs();
      const first = before;
      for (let i = 0; i < letters; i++) {
        await store.put(letterWith({ diedAt: Date.now() }));
        expect(syncs()).toBeGreaterThan(before);
        before = syncs();
      }
      strace.kill('SIGINT');
      await once(strace, 'exit');
      process.stdout.write(`${syncs() - first} fsyncs for ${letters} letters\n`);
      expect(syncs() - first).toBeLessThan(letters * 1.2);
    });
  });
});

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
