export { KafkaDeadLetterStore } from './kafka-store.ts';
export { type KafkaJs, type KafkaJsLogOptions, kafkajsLog } from './kafkajs-log.ts';
export { LETTER_HEADERS, type LetterHeader } from './letter-headers.ts';
export type { DeadLetterLog, LogAppend, LogRecord, LogSink, LogTail, PartitionBounds } from './log.ts';
export { DeadLetterLogError, type LogTrouble } from './log-error.ts';
export { EVENT_HEADER, INDEX_HEADER } from './log-event.ts';
export { KAFKA_STORE_DEFAULTS, type KafkaDeadLetterStoreOptions } from './store-options.ts';
