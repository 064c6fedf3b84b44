import { checkFunction, checkName, checkOptions, ofType, oneOf } from '../../engine/option-checks.ts';
import { read } from '../../engine/read.ts';
import type { RetrySummary } from '../../engine/retry-summary.ts';
import { recordOf } from './consumed-record.ts';
import { type DEAD_LETTER_HEADERS, deadLetterHeaders } from './dead-letter-headers.ts';
import type { KafkaEvents } from './events.ts';
import { addHeaders } from './headers.ts';
import { kafkaCode } from './kafka-error.ts';
import { type EventProducer, type HighLevelProducer, producerOf, type SendingProducer } from './producer.ts';
import { UNKNOWN_LOCAL_PARTITION } from './protocol-errors.ts';
import { publishEvent } from './publish-event.ts';
import { type PublishOptions, preparePublish } from './publish-options.ts';

/**
 * Takes a message that was given up. It must be durable when the returned promise resolves: the consumer moves on then.
 * When it rejects, the message is not marked as consumed.
 *
 * @param payload what the handler got
 * @param error what its last attempt threw
 */
export type DeadLetter<Payload> = (payload: Payload, error: unknown, summary: RetrySummary) => unknown;

/** Where dead letters go, and how. */
export interface DeadLetterOptions {
  /** What is put behind the topic of the message. Default `-dlt`, as in Spring Kafka. 1 to 200 characters. */
  readonly topicSuffix?: string;
  /** The topic, where a suffix is not enough: of the original one. Default: with `topicSuffix`. */
  topic?(original: string): string;
  /**
   * `'same'`: the partition of the same number; where the topic has none such, as for `'any'`. `'any'`: whichever the
   * client's partitioner says. Default `'same'`.
   */
  readonly partition?: 'same' | 'any';
  /** The name of the consumer's operation, for the header `retry-operation`. Default: no such header. */
  readonly operation?: string;
  /** How the letters are published. Default: as by `publishEvent`, with the operation `kafka_dead_letter`. */
  readonly publish?: PublishOptions;
}

/**
 * Makes a {@link DeadLetter} that publishes the message to a topic of dead letters: key, value and headers as they were, and
 * the headers of {@link DEAD_LETTER_HEADERS}, which hold no secret of the error's. It rejects when Kafka has not confirmed.
 *
 * For @platformatic/kafka, make the producer without serializers.
 *
 * @throws TypeError or RangeError at once, when an option or the producer is wrong
 *
 * @example
 * ```ts
 * await consumer.run({
 *   eachMessage: retryMessage(({ message }) => handle(message), { deadLetter: deadLetterTo(producer) }),
 * });
 * ```
 */
export function deadLetterTo(
  producer: SendingProducer<never, unknown> | HighLevelProducer | EventProducer,
  options: DeadLetterOptions = {},
): DeadLetter<unknown> {
  checkOptions('dead letter options', options, CHECKS);
  const { topicSuffix = '-dlt', topic = original => `${original}${topicSuffix}`, partition = 'same' } = options;
  const publish: PublishOptions = { operation: 'kafka_dead_letter', ...options.publish };
  preparePublish(publish);
  const target = producerOf(producer as unknown);
  return async (payload, error, summary) => {
    const record = recordOf(payload);
    if (record.topic === undefined) throw new TypeError('a dead letter needs the topic of its message; there is none');
    const headers = deadLetterHeaders(record, options.operation, error, summary);
    const { key = null, value = null } = record;
    const letter = addHeaders(target.kind ?? 'kafkajs', { key, value, headers: record.headers }, headers);
    const events: KafkaEvents = { topic: topic(record.topic), messages: [letter] };
    const isPinned = partition === 'same' && record.partition !== undefined;
    const pinned = { ...events, messages: [{ ...letter, partition: record.partition }] };
    if (isPinned && (await isWritten(target, pinned, publish))) return;
    if (!(await isWritten(target, events, publish))) throw new Error('Kafka took no dead letter: nothing was written');
  };
}

const CHECKS = {
  topicSuffix: checkName,
  topic: checkFunction,
  partition: oneOf('same', 'any'),
  operation: checkName,
  publish: ofType('an object of publish options', v => typeof v === 'object' && v !== null),
};

/** False where the topic has no such partition. kafkajs says nothing of that: it sends nothing, and resolves. */
async function isWritten(target: EventProducer, events: KafkaEvents, publish: PublishOptions): Promise<boolean> {
  try {
    const result = await publishEvent(target, events, publish);
    return !(Array.isArray(result) && result.length === 0);
  } catch (error) {
    if (read(events.messages[0], 'partition') !== undefined && kafkaCode(error) === UNKNOWN_LOCAL_PARTITION)
      return false;
    throw error;
  }
}
