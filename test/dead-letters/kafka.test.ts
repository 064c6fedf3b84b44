import { FakeClock } from 'retryscope/testing';
import { KafkaDeadLetterStore } from '../../src/recovery/dead-letters/kafka/index.ts';
import { describeStore } from './contract.ts';
import { MemoryKafka } from './support/memory-log.ts';

describeStore('Kafka, in memory', () => {
  const clock = new FakeClock();
  return {
    open: async retention =>
      new KafkaDeadLetterStore({ log: new MemoryKafka().client(), clock, ...(retention && { retention }) }),
    advance: ms => clock.advance(ms),
    now: () => clock.wallNow(),
    tick: 1000,
  };
});
