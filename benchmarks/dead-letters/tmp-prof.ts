import { DeadLetterQueue, defineOperation, OperationRegistry, redrive } from 'retryscope/dead-letters';
import { benches } from './stores.ts';
const which = Number(process.argv[2]); const N = Number(process.argv[3]); const batch = Number(process.argv[4] ?? 10);
const b = await benches[which]!(); if (!b) throw 1;
const down = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' });
const ORDER = { id: 'order-4711', customer: 'customer-815', cents: 4200, items: ['a lamp', 'a chair', 'a table'] };
const queue = new DeadLetterQueue({ name: 'q', store: b.store });
const registry = new OperationRegistry();
defineOperation('charge_card', async () => 'charged', { registry });
const time = async (n: string, count: number, f: () => Promise<unknown>) => { const t = performance.now(); await f(); const ms = performance.now() - t; console.log(b.name, n, (ms * 1000 / count).toFixed(0), 'us', ms.toFixed(0), 'ms'); };
const opts = { maxAttempts: 1, registry: new OperationRegistry() };
const fail0 = defineOperation('a', async (_: typeof ORDER) => { throw down; }, opts);
const fail1 = defineOperation('charge_card', async (_: typeof ORDER) => { throw down; }, { ...opts, deadLetter: queue });
for (let r = 0; r < 3; r++) {
  await time('fail alone', N, async () => { for (let i = 0; i < N; i++) await fail0(ORDER).catch(() => 0); });
  await time('fail kept', N, async () => { for (let i = 0; i < N; i++) await fail1(ORDER).catch(() => 0); });
  const letters = await Promise.all(Array.from({ length: N }, () => queue.letterFor({ operation: 'charge_card', args: [ORDER], error: down })));
  await time('put 1', N, async () => { for (const l of letters) await b.store.put(l); });
  const more = await Promise.all(Array.from({ length: N }, () => queue.letterFor({ operation: 'charge_card', args: [ORDER], error: down })));
  await time('put 16', N, async () => { let i = 0; const w = async () => { while (i < N) await b.store.put(more[i++]!); }; await Promise.all(Array.from({ length: 16 }, w)); });
  await time('redrive 16', 3 * N, async () => console.log(JSON.stringify((await redrive(queue, { concurrency: 16, registry, batch })).results)));
}
await b.end();
