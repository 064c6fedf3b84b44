import { appendFileSync } from 'node:fs';
import { DeadLetterQueue, defineOperation, redrive } from '../../../src/recovery/dead-letters/index.ts';
import { SqliteDeadLetterStore } from '../../../src/recovery/dead-letters/sqlite/index.ts';

// A process that redrives until nothing is left. Each delivery is a line in a file: that is the outside world.

const [file, deliveries] = process.argv.slice(2) as [string, string];
const store = new SqliteDeadLetterStore({ file, ballastBytes: 0 });
const queue = new DeadLetterQueue({ name: 'payments', store });
defineOperation('charge_card', (order: { readonly order: number }) => {
  appendFileSync(deliveries, `${order.order}\n`);
});
process.stdout.write('ready\n');
for (;;) {
  await redrive(queue, {
    leaseMs: 1000,
    batch: 20,
    onLetter: ({ id, result }) => process.stdout.write(`${result} ${id}\n`),
  });
  const { dead, claimed } = await queue.stats();
  if (dead + claimed === 0) break;
  await new Promise(resolve => setTimeout(resolve, 50));
}
await store.close();
