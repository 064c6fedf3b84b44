import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { holdOne } from '../dead-letters/support/hold-one.ts';
import { letterWith } from '../dead-letters/support/letters.ts';
import { killBackend, killServer } from '../dead-letters/support/postgres-kill.ts';
import { openStore } from '../dead-letters/support/postgres-store.ts';
import { bundle, startProcess, type TestProcess } from '../dead-letters/support/processes.ts';
import { until } from '../redis/support/until.ts';
import { describeWithProgram } from '../support/needs-program.ts';
import { hasPostgres, type OwnPostgres, startPostgres } from './postgres.ts';

// Servers and processes are killed while they work, again and again: whatever they were told is stored must be there.

jest.setTimeout(300_000);

const POSTGRES = { name: 'PostgreSQL', debianPackage: 'postgresql', isThere: hasPostgres() };
/** In each of two runs: 30 in all. */
const KILLS = 15;
const LETTERS = 500;
const REDRIVERS = 4;
const REDRIVERS_KILLED = 6;

describeWithProgram(POSTGRES, 'dead letters in a PostgreSQL that is killed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dead-letters-postgres-'));
  let postgres: OwnPostgres;
  let running: TestProcess[] = [];
  afterEach(async () => {
    // A test that failed has left some, and they would go on for ever.
    for (const one of running.splice(0)) one.kill();
    await postgres?.end();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  // Where the server does not wait for the disk of itself, the store has to ask it to.
  it.each([
    [1, 'on'],
    [4, 'off'],
  ] as const)(
    `kill -9 of the server ${KILLS} times, while %i processes write with synchronous_commit %s, loses nothing`,
    async (writers, synchronousCommit) => {
      postgres = await startPostgres({ synchronous_commit: synchronousCommit });
      const writer = bundle('postgres-writer.ts', folder);
      const all = Array.from({ length: writers }, (_, i) => startProcess(writer, [`${postgres.port}`, `w${i}`]));
      running = [...all];
      const acknowledged = (): number => all.reduce((sum, { lines }) => sum + lines.length, 0);
      await Promise.all(all.map(({ started }) => started));
      for (let kill = 0; kill < KILLS; kill++) {
        const before = acknowledged();
        await until(() => acknowledged() > before + 2 * writers);
        await pause(Math.random() * 30);
        if (kill % 3 === 0) {
          await killServer(await serverPid(postgres));
          await postgres.start();
        } else {
          killBackend(await writersPid(postgres));
        }
      }
      for (const one of all) one.kill();
      await Promise.all(all.map(({ ended }) => ended));
      await until(async () => (await postgres.ask('SELECT 1')).length === 1);

      const ids = all.flatMap(({ lines }) => lines.filter(line => line !== 'ready'));
      const stored = await storedIn(postgres);
      process.stdout.write(`${writers} writers: ${ids.length} letters acknowledged, ${stored.ids.length} stored\n`);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.filter(id => !stored.byId.has(id))).toEqual([]);
      expect(stored.byId.size).toBe(stored.ids.length);
      // What is there besides was being put when the process was killed.
      expect(stored.ids.length - ids.length).toBeLessThanOrEqual(writers);
      expect(stored.damaged).toEqual([]);
      expect(stored.totals).toBe(stored.ids.length);
      await postgres.ask('CREATE EXTENSION amcheck');
      const indexes = await postgres.ask(
        "SELECT bt_index_check(indexrelid, true) FROM pg_index WHERE indrelid = 'retryscope_dead_letters'::regclass",
      );
      expect(indexes).toHaveLength(5);
    },
  );

  it(`${REDRIVERS} redrivers that are killed ${REDRIVERS_KILLED} times send each of ${LETTERS} letters, and note each once`, async () => {
    postgres = await startPostgres();
    const deliveries = join(folder, 'deliveries');
    const redriver = bundle('postgres-redriver.ts', folder);
    const { store, end } = openStore(postgres.config as object);
    await Promise.all(
      Array.from({ length: LETTERS }, (_, i) => {
        const payload = { kind: 'plain', json: `[{"order":${i}}]`, version: 1, bytes: 13, altered: [] } as const;
        return store.put(letterWith({ payload, diedAt: Date.now() }));
      }),
    );
    const start = (): TestProcess => startProcess(redriver, [`${postgres.port}`, deliveries]);
    const held = await holdOne(store);
    running = Array.from({ length: REDRIVERS }, start);
    const all = [...running];
    await Promise.all(all.map(({ started }) => started));
    let interrupted = 0;
    for (let kills = 0; kills < REDRIVERS_KILLED; kills++) {
      await pause(20 + Math.random() * 60);
      const victim = Math.floor(Math.random() * REDRIVERS);
      running[victim]?.kill();
      // One that had finished by itself was not interrupted.
      if ((await running[victim]?.ended) !== 0) interrupted++;
      const next = start();
      running[victim] = next;
      all.push(next);
    }
    await held.letGo();
    expect(await Promise.all(running.map(({ ended }) => ended))).toEqual(Array(REDRIVERS).fill(0));

    const states = await postgres.ask(
      'SELECT state, redrives::int, count(*)::int AS letters FROM retryscope_dead_letters GROUP BY 1, 2',
    );
    await end();
    const noted = all.flatMap(({ lines }) => lines).filter(line => line.startsWith('redriven '));
    const sent = readFileSync(deliveries, 'utf8').trimEnd().split('\n');
    process.stdout.write(`${interrupted} killed at work, ${sent.length} deliveries of ${LETTERS} letters\n`);
    // In the store: each letter is done with, and was so once.
    expect(states).toEqual([{ state: 'redriven', redrives: 1, letters: LETTERS }]);
    expect(new Set(noted).size).toBe(noted.length);
    // Toward the outside: at least once, and more than once only where a redriver was killed between the two.
    expect(new Set(sent).size).toBe(LETTERS);
    expect(sent.length - LETTERS).toBeLessThanOrEqual(interrupted);
    expect(interrupted).toBeGreaterThan(0);
  });
});

async function serverPid(postgres: OwnPostgres): Promise<number> {
  return await pidBy(postgres, "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1) AS pid");
}

/** A process of the server that serves a writer. After a kill there is none until a writer has come again. */
async function writersPid(postgres: OwnPostgres): Promise<number> {
  return await pidBy(
    postgres,
    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1",
  );
}

/** Asks a server that may still be recovering from the kill before: what was acknowledged may be read late. */
async function pidBy(postgres: OwnPostgres, statement: string): Promise<number> {
  let pid: number | undefined;
  await until(async () => {
    const [row] = await postgres.ask<{ pid: number | string }>(statement);
    pid = row === undefined ? undefined : Number(row.pid);
    return pid !== undefined;
  });
  return pid as number;
}

/** All that a store finds, and what it counts. */
async function storedIn(postgres: OwnPostgres) {
  const { store, end } = openStore(postgres.config as object);
  const ids: string[] = [];
  const damaged: string[] = [];
  for (let next: string | undefined, isFirst = true; isFirst || next !== undefined; isFirst = false) {
    const page = await store.list({}, { limit: 1000, ...(next === undefined ? {} : { after: next }) });
    ids.push(...page.letters.map(({ id }) => id));
    damaged.push(...page.letters.filter(({ payload }) => payload.kind !== 'plain').map(({ id }) => id));
    next = page.next;
  }
  await end();
  const [row] = await postgres.ask('SELECT sum(letters)::int AS letters FROM retryscope_dead_letters_totals');
  return { ids, byId: new Set(ids), damaged, totals: row?.letters };
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
