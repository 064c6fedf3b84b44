import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { letterWith } from './letters.ts';
import { openStore } from './postgres-store.ts';

// A process that puts letters one after another, and writes down the id of each that the store has taken. While the server
// is away it offers the same letter again and again, as a queue does.

const [port, name] = process.argv.slice(2) as [string, string];
const { store } = openStore({ host: '127.0.0.1', port: Number(port), user: 'tester', database: 'postgres', max: 1 });
writeSync(1, 'ready\n');
for (let i = 0; ; i++) {
  const letter = letterWith({ id: `${name}-${i}`, diedAt: Date.now() });
  for (let isTaken = false; !isTaken; ) {
    try {
      await store.put(letter);
      isTaken = true;
    } catch {
      await sleep(25);
    }
  }
  // Written before the next letter is begun: what stands in the pipe was acknowledged.
  writeSync(1, `${letter.id}\n`);
}
