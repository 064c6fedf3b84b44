import { callHook } from '../../engine/hook.ts';
import { tellListeners } from '../dead-letters/queue-registry.ts';
import { type ReadableWaits, registerWaits, tellWaitListeners } from './wait-registry.ts';
import type { WaitCounts, WaitEvent } from './waits-options.ts';

/** Counts what happens to the calls over long waits of one queue, and tells whoever listens. */
export class WaitJournal implements ReadableWaits {
  readonly queue: string;
  readonly counts: Readonly<WaitCounts>;
  readonly #counts: WaitCounts = { handed_over: 0, kept_in_memory: 0, continued: 0, put_back: 0, refused: 0 };
  readonly #onEvent: ((event: WaitEvent) => void) | undefined;
  #notStored = 0;

  constructor(queue: string, onEvent: ((event: WaitEvent) => void) | undefined) {
    this.queue = queue;
    this.counts = this.#counts;
    this.#onEvent = onEvent;
    registerWaits(this);
  }

  get notStored(): number {
    return this.#notStored;
  }

  tell(event: Omit<WaitEvent, 'queue'>): void {
    this.#counts[event.event]++;
    const told: WaitEvent = { queue: this.queue, ...event };
    if (this.#onEvent !== undefined) callHook(this.#onEvent, told);
    tellWaitListeners(told);
  }

  /** A job is given up, and no queue of dead letters has taken it: for whoever looks after letters it is a lost one. */
  tellNotStored(of: { readonly id?: string; readonly operation?: string; readonly why: string }): void {
    this.#notStored++;
    tellListeners({ queue: this.queue, event: 'not_stored', letters: 1, ...of });
  }
}
