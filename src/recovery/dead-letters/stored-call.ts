import type { DeadLetter } from './letter.ts';

/** A call at rest, whether it was given up or is to go on later: what is known of it until then. */
export type StoredCall = Pick<
  DeadLetter,
  | 'id'
  | 'operation'
  | 'payload'
  | 'error'
  | 'attempts'
  | 'history'
  | 'firstFailedAt'
  | 'lastFailedAt'
  | 'idempotencyKey'
  | 'trace'
  | 'source'
>;
