/**
 * True for an error after which nobody knows whether a statement or transaction has been carried out: the connection
 * broke, or the attempt was cut off, when it had been sent and not answered yet. Such a call is not retried unless it
 * may be repeated. Look in the database before you do it again.
 *
 * The errors themselves are not touched. An abort reason that several calls share counts for all of them.
 *
 * @example
 * ```ts
 * try {
 *   await retryQuery(pool, 'INSERT INTO orders (id) VALUES ($1)', [id]);
 * } catch (error) {
 *   if (isOutcomeUnknown(error)) await checkLater(id);
 *   throw error;
 * }
 * ```
 */
export function isOutcomeUnknown(error: unknown): boolean {
  return isObject(error) && unknown.has(error);
}

/** Keeps in mind that the outcome is unknown, as long as the error lives. */
export function rememberUnknown(error: unknown): void {
  if (isObject(error)) unknown.add(error);
}

/** What an attempt has sent that may last, and is not answered yet. */
export class Effect {
  #state: 'none' | 'pending' | 'pending_in_part' = 'none';

  /** Something is sent that lasts when it arrives: all of it or nothing, or perhaps a part. */
  sent(extent: 'whole' | 'in_part' = 'whole'): void {
    this.#state = extent === 'whole' ? 'pending' : 'pending_in_part';
  }

  /** The answer is there. */
  answered(): void {
    this.#state = 'none';
  }

  /** True when nobody can know what has become of it; `isWithoutEffect` says whether the error rules it out. */
  isUnknown(isWithoutEffect: () => boolean): boolean {
    return this.#state === 'pending_in_part' || (this.#state === 'pending' && !isWithoutEffect());
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** Shared by all copies of the package in a process. */
const KEY = Symbol.for('retryscope.unknown-outcomes.1');
const shared = globalThis as { [KEY]?: WeakSet<object> };
const unknown: WeakSet<object> = shared[KEY] ?? new WeakSet();
shared[KEY] = unknown;
