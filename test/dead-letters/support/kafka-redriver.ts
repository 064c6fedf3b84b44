import { appendFileSync } from 'node:fs';
import { Kafka, logLevel } from 'kafkajs';
import { DeadLetterQueue, defineOperation, redrive } from '../../../src/recovery/dead-letters/index.ts';
import { KafkaDeadLetterStore, kafkajsLog } from '../../../src/recovery/dead-letters/kafka/index.ts';

// A process that redrives until nothing is left. Each delivery is a line in a file: that is the outside world.

const [brokers, topic, deliveries] = process.argv.slice(2) as [string, string, string];
const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
const store = new KafkaDeadLetterStore({ log: kafkajsLog(kafka, { maxWaitMs: 10 }), topic });
const queue = new DeadLetterQueue({ name: 'payments', store });
defineOperation('charge_card', async (order: string) => {
  appendFileSync(deliveries, `${order}\n`);
  await new Promise(resolve => setTimeout(resolve, 10));
});
await queue.stats();
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
  await new Promise(resolve => setTimeout(resolve, 100));
}
await store.close();
