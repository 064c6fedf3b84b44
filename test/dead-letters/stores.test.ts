import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from 'retryscope/testing';
import { MemoryDeadLetterStore } from '../../src/recovery/dead-letters/memory-store.ts';
import { SqliteDeadLetterStore } from '../../src/recovery/dead-letters/sqlite/index.ts';
import { describeStore, type StoreUnderTest } from './contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'dead-letters-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

function onFakeTime(open: (clock: FakeClock) => StoreUnderTest['open']): StoreUnderTest {
  const clock = new FakeClock();
  return {
    open: open(clock),
    advance: ms => clock.advance(ms),
    now: () => clock.wallNow(),
    tick: 1000,
  };
}

describeStore('memory', () =>
  onFakeTime(clock => async retention => new MemoryDeadLetterStore({ clock, ...(retention && { retention }) })),
);

describeStore('SQLite', () =>
  onFakeTime(clock => async retention => {
    const file = join(folder, `${++files}.db`);
    return new SqliteDeadLetterStore({ file, clock, ballastBytes: 65_536, ...(retention && { retention }) });
  }),
);
