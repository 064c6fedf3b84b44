import type { DeadLetter } from '../../../../src/recovery/dead-letters/letter.ts';
import { SqliteDeadLetterStore } from '../../../../src/recovery/dead-letters/sqlite/index.ts';

/** Puts letters into a file of SQLite, and gives its address. */
export async function fillStore(file: string, letters: readonly DeadLetter[]): Promise<string> {
  await using store = new SqliteDeadLetterStore({ file, ballastBytes: 0, retention: { maxAgeMs: 3650 * 86_400_000 } });
  for (const letter of letters) await store.put(letter);
  return `sqlite:${file}`;
}
