import type { ErrorDescription } from '../../engine/describe-error.ts';
import type { LetterTrace } from './letter.ts';

/**
 * What happens to letters, as the metric label says it: kept; not taken by the store; sent again with success; sent again in
 * vain; deleted for their age or to make room; put aside; deleted on request.
 */
export type QueueEventName = 'stored' | 'not_stored' | 'redriven' | 'failed' | 'evicted' | 'quarantined' | 'purged';

/** How often each thing has happened to a letter of a queue in this process. */
export type QueueCounts = Record<QueueEventName, number>;

/** Something that happened to letters of a queue in this process. */
export interface QueueEvent {
  readonly queue: string;
  readonly event: QueueEventName;
  /** To how many. */
  readonly letters: number;
  /** The letter, where it is one. */
  readonly id?: string;
  readonly operation?: string;
  /** Why a letter was not stored: the kind of the store's error. */
  readonly storeError?: string;
  /** Which redrive of the letter it was, from 1. */
  readonly redrive?: number;
  /** What a redrive met, redacted. */
  readonly error?: ErrorDescription;
  /** Why a letter was put aside, in a few words. */
  readonly why?: string;
  /** The span of the call for a letter that was to be kept, that of the redrive for one that was sent again. */
  readonly trace?: LetterTrace | undefined;
}
