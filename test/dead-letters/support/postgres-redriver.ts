import { openStore } from './postgres-store.ts';
import { redriveAll } from './redrive-all.ts';

// A process that redrives until nothing is left.

const [port, deliveries] = process.argv.slice(2) as [string, string];
const { store, end } = openStore({ host: '127.0.0.1', port: Number(port), user: 'tester', database: 'postgres' });
await redriveAll(store, deliveries);
await end();
