import { writeSync } from 'node:fs';
import { SqliteDeadLetterStore } from '../../../src/recovery/dead-letters/sqlite/index.ts';
import { letterWith } from './letters.ts';

// A process that puts letters one after another, and writes down the id of each that the store has taken.

const [file, name, most] = process.argv.slice(2) as [string, string, string];
const store = new SqliteDeadLetterStore({ file, ballastBytes: 0, retention: { maxCount: 1_000_000 } });
writeSync(1, 'ready\n');
for (let i = 0; i < Number(most); i++) {
  const letter = letterWith({ id: `${name}-${i}`, diedAt: Date.now() });
  const { outcome } = await store.put(letter);
  if (outcome !== 'stored') throw new Error(`${letter.id} is ${outcome}`);
  // Written before the next letter is begun: what stands in the pipe was acknowledged.
  writeSync(1, `${letter.id}\n`);
}
await store.close();
