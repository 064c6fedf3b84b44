export { classifyKafkaError } from './classify-kafka-error.ts';
export { clientRetries, NO_CLIENT_RETRIES } from './client-retries.ts';
export { type DeadLetter, type DeadLetterOptions, deadLetterTo } from './dead-letter.ts';
export { DEAD_LETTER_HEADERS, type DeadLetterHeader } from './dead-letter-headers.ts';
export type { EventFor, KafkaEvent, KafkaEvents, KafkaMessage } from './events.ts';
export type { ClientKind } from './headers.ts';
export { mayBePublished } from './may-be-published.ts';
export {
  type Delivery,
  type EventProducer,
  type HighLevelProducer,
  producerOf,
  type SendingProducer,
} from './producer.ts';
export { publishEvent } from './publish-event.ts';
export { PUBLISH_DEFAULTS, type PublishOptions } from './publish-options.ts';
export { MESSAGE_DEFAULTS, type MessageOptions, retryMessage } from './retry-message.ts';
