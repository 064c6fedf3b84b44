import { writeSync } from 'node:fs';
import { Kafka, logLevel } from 'kafkajs';
import { KafkaDeadLetterStore, kafkajsLog } from '../../../src/recovery/dead-letters/kafka/index.ts';
import { letterWith } from './letters.ts';

// A process that puts letters one after another, and writes down the id of each that the store has taken.

const [brokers, topic, name] = process.argv.slice(2) as [string, string, string];
const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
const log = kafkajsLog(kafka, { maxWaitMs: 10 });
const store = new KafkaDeadLetterStore({ log, topic, retention: { maxCount: 1_000_000 } });
writeSync(1, 'ready\n');
for (let i = 0; ; i++) {
  const id = `${name}-${i}`;
  const payload = { kind: 'plain', json: JSON.stringify([id]), version: 1, bytes: 0, altered: [] } as const;
  const letter = letterWith({ id, payload, diedAt: Date.now() });
  await store.put(letter);
  // Written before the next letter is begun: what stands in the pipe was acknowledged.
  writeSync(1, `${letter.id}\n`);
}
