import { SqliteDeadLetterStore } from '../../../src/recovery/dead-letters/sqlite/index.ts';
import { redriveAll } from './redrive-all.ts';

// A process that redrives until nothing is left.

const [file, deliveries] = process.argv.slice(2) as [string, string];
const store = new SqliteDeadLetterStore({ file, ballastBytes: 0 });
await redriveAll(store, deliveries);
await store.close();
