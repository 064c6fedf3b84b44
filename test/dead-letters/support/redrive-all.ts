import { appendFileSync } from 'node:fs';
import {
  DeadLetterQueue,
  type DeadLetterStore,
  defineOperation,
  redrive,
} from '../../../src/recovery/dead-letters/index.ts';

/** Redrives until nothing is left. Each delivery is a line in the file `deliveries`: that is the outside world. */
export async function redriveAll(store: DeadLetterStore, deliveries: string): Promise<void> {
  const queue = new DeadLetterQueue({ name: 'payments', store });
  defineOperation('charge_card', (order: { readonly order: number }) => {
    appendFileSync(deliveries, `${order.order}\n`);
  });
  process.stdout.write('ready\n');
  for (;;) {
    await redrive(queue, {
      // A process that gets no turn for half of it may lose a letter that it has sent: another delivery, without a kill.
      leaseMs: 5000,
      batch: 20,
      onLetter: ({ id, result }) => process.stdout.write(`${result} ${id}\n`),
    });
    const { dead, claimed } = await queue.stats();
    if (dead + claimed === 0) break;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
