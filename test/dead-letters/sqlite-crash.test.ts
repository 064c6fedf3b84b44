import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { bundle, startProcess, type TestProcess } from './support/processes.ts';

// Processes that write letters are killed while they do, again and again: whatever they were told is stored must be there.

jest.setTimeout(400_000);

const folder = mkdtempSync(join(tmpdir(), 'dead-letters-crash-'));
const writer = bundle('writer.ts', folder);
afterAll(() => rmSync(folder, { recursive: true }));

const KILLS = 200;

let running: TestProcess[] = [];
afterEach(() => {
  // A test that failed has left some, and they would write for ever.
  for (const one of running.splice(0)) one.kill();
});

describe.each([1, 4])('kill -9 of %i processes that write at the same time', writers => {
  it(`${KILLS} times loses no letter that was acknowledged, and damages nothing`, async () => {
    const file = join(folder, `${writers}.db`);
    const acknowledged: string[] = [];
    // A few more where the disk is so slow, or the machine so busy, that they write next to nothing between two kills.
    for (let kills = 0; kills < KILLS || acknowledged.length <= KILLS; kills += writers) {
      const all = Array.from({ length: writers }, (_, i) => startProcess(writer, [file, `${kills}.${i}`, '1000000']));
      running = [...all];
      await Promise.all(all.map(({ started }) => started));
      await pause(5 + Math.random() * 40);
      for (const one of all) one.kill();
      await Promise.all(all.map(({ ended }) => ended));
      acknowledged.push(...all.flatMap(({ lines }) => lines.filter(line => line !== 'ready')));
    }
    const db = new DatabaseSync(file);
    const stored = new Set(
      db
        .prepare('SELECT id FROM letters')
        .all()
        .map(({ id }) => id),
    );
    const [check, totals] = [
      db.prepare('PRAGMA integrity_check').all(),
      db.prepare('SELECT letters FROM totals').get(),
    ];
    db.close();
    process.stdout.write(`${writers} writers: ${acknowledged.length} letters acknowledged, ${stored.size} stored\n`);
    expect(acknowledged.length).toBeGreaterThan(KILLS);
    expect(acknowledged.filter(id => !stored.has(id))).toEqual([]);
    expect(check).toEqual([{ integrity_check: 'ok' }]);
    expect(totals).toEqual({ letters: stored.size });
  });
});

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
