export { DeadLetterQueue } from './dead-letter-queue.ts';
export {
  type Claim,
  type DeadLetterStore,
  DeadLetterStoreFullError,
  type FurtherFailure,
  type LetterPage,
  type PageRequest,
  type PutResult,
  type QueueStats,
  type StoreStats,
} from './dead-letter-store.ts';
export { defineOperation, type Operation, type OperationCall, type OperationOptions } from './define-operation.ts';
export type { FailedCall } from './failed-call.ts';
export { HandedOverError, isHandedOver } from './handed-over-error.ts';
export {
  type DeadLetter,
  LETTER_STATES,
  type LetterAttempt,
  type LetterSource,
  type LetterState,
  type LetterStateName,
  type LetterTrace,
} from './letter.ts';
export type { LetterFilter } from './letter-filter.ts';
export type { GivenUpCall, LetterKeeper } from './letter-keeper.ts';
export { type LetterEnd, type LetterTracing, setLetterTracing } from './letter-tracing.ts';
export { MemoryDeadLetterStore, type MemoryDeadLetterStoreOptions } from './memory-store.ts';
export { type OpenedPayload, openPayload } from './open-payload.ts';
export type { OperationContext } from './operation-context.ts';
export { OperationRegistry, operations, type Restore } from './operation-registry.ts';
export type { PayloadRedactor } from './pack-payload.ts';
export { type Aes256GcmOptions, aes256Gcm, type PayloadCipher } from './payload-cipher.ts';
export { type OperationPreview, previewRedrive, type RedrivePreview } from './preview-redrive.ts';
export type { QueueCounts, QueueEvent, QueueEventName } from './queue-event.ts';
export type { DeadLetterQueueOptions } from './queue-options.ts';
export { type QueueRegistry, queueRegistry, type ReadableQueue } from './queue-registry.ts';
export { redactPayload } from './redact-payload.ts';
export { redrive } from './redrive.ts';
export type { RedriveEvent, RedriveOptions } from './redrive-options.ts';
export { type RedriveReport, redriveReport } from './redrive-report.ts';
export type { Retention } from './retention.ts';
export type { StoredCall } from './stored-call.ts';
export type {
  Alteration,
  Json,
  Omission,
  OmittedPayload,
  PlainPayload,
  SealedPayload,
  StoredPayload,
} from './stored-payload.ts';
export type { ContinuedCall, TakenCall, Wait, WaitingCall, WaitKeeper } from './wait-keeper.ts';
