import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SqliteDeadLetterStore } from '../../src/recovery/dead-letters/sqlite/index.ts';
import { holdOne } from './support/hold-one.ts';
import { letterWith } from './support/letters.ts';
import { bundle, startProcess, type TestProcess } from './support/processes.ts';

// Four processes redrive the same letters. Each is killed at random and replaced, again and again.

jest.setTimeout(300_000);

const LETTERS = 5000;
const REDRIVERS = 4;
const KILLS = 12;

let running: TestProcess[] = [];
afterEach(() => {
  // A test that failed has left some, and they would go on for ever.
  for (const one of running.splice(0)) one.kill();
});

it(`${REDRIVERS} redrivers that are killed ${KILLS} times send each of ${LETTERS} letters, and note each once`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dead-letters-redrivers-'));
  const [file, deliveries] = [join(folder, 'store.db'), join(folder, 'deliveries')];
  const redriver = bundle('redriver.ts', folder);
  await using store = await fill(file);
  const held = await holdOne(store);
  const start = (): TestProcess => startProcess(redriver, [file, deliveries]);
  running = Array.from({ length: REDRIVERS }, start);
  const all = [...running];
  await Promise.all(all.map(({ started }) => started));
  let interrupted = 0;
  for (let kills = 0; kills < KILLS; kills++) {
    await new Promise(resolve => setTimeout(resolve, 50 + Math.random() * 150));
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
  await store.close();

  const db = new DatabaseSync(file);
  const states = db.prepare('SELECT state, redrives, count(*) AS letters FROM letters GROUP BY 1, 2').all();
  const check = db.prepare('PRAGMA integrity_check').all();
  db.close();
  const noted = all.flatMap(({ lines }) => lines).filter(line => line.startsWith('redriven '));
  const sent = readFileSync(deliveries, 'utf8').trimEnd().split('\n');
  process.stdout.write(`${interrupted} killed at work, ${sent.length} deliveries of ${LETTERS} letters\n`);
  rmSync(folder, { recursive: true });
  // In the store: each letter is done with, and was so once.
  expect(states).toEqual([{ state: 'redriven', redrives: 1, letters: LETTERS }]);
  expect(check).toEqual([{ integrity_check: 'ok' }]);
  expect(new Set(noted).size).toBe(noted.length);
  // Toward the outside: at least once, and more than once only where a redriver was killed between the two.
  expect(new Set(sent).size).toBe(LETTERS);
  expect(sent.length - LETTERS).toBeLessThanOrEqual(interrupted);
  expect(interrupted).toBeGreaterThan(0);
});

async function fill(file: string): Promise<SqliteDeadLetterStore> {
  const store = new SqliteDeadLetterStore({ file, ballastBytes: 0 });
  for (let i = 0; i < LETTERS; i++) {
    const payload = { kind: 'plain', json: `[{"order":${i}}]`, version: 1, bytes: 13, altered: [] } as const;
    await store.put(letterWith({ payload, diedAt: Date.now() }));
  }
  return store;
}
