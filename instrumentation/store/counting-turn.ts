import type { RetryObserver } from '../../src/engine/observer.ts';
import { runtime } from '../../src/engine/runtime.ts';

/** Marks an observer that counts into the store. A registered symbol, since other copies of the package do so too. */
export const COUNTS: unique symbol = Symbol.for('retryscope.counts');

/**
 * Sees to it that a call is counted once, however many observers of the process could count it: of those among the
 * default observers the first one does. An observer that a policy names for itself has no rival there.
 */
export class CountingTurn {
  readonly #observer: RetryObserver;
  #composed: RetryObserver | undefined;
  #isMine = true;

  constructor(observer: RetryObserver) {
    this.#observer = observer;
  }

  /** True when the observer is to count. Looks again only after the default observers have changed. */
  isMine(): boolean {
    if (runtime.observer !== this.#composed) {
      this.#composed = runtime.observer;
      this.#isMine = !runtime.observers.includes(this.#observer) || firstCounter() === this.#observer;
    }
    return this.#isMine;
  }
}

/** The one of the default observers that counts. */
export function firstCounter(): RetryObserver | undefined {
  return runtime.observers.find(observer => (observer as { [COUNTS]?: boolean })[COUNTS] === true);
}
