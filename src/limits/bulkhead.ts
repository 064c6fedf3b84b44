import { onAbort } from '../engine/abort.ts';
import { BulkheadFullError } from '../engine/errors.ts';
import type { ConcurrencyLimit } from '../engine/limits.ts';
import { type Check, checkName, checkOptions, integerFrom } from '../engine/option-checks.ts';

/**
 * A limit on attempts that run at the same time, with a bounded queue for those that have to wait. A queued attempt
 * goes on in the async context of its own caller, and leaves the queue at once when its signal aborts.
 *
 * Waiting in the queue counts as time of the attempt, so `attemptTimeout` bounds it. A slot is free again when the
 * function has settled, also when its caller has stopped waiting for it.
 *
 * @example
 * ```ts
 * const bulkhead = new Bulkhead({ name: 'reports', limit: 4, queue: 20 });
 * const report = await retry(({ signal }) => renderReport(id, signal), { operation: 'render_report', bulkhead });
 * ```
 */
export class Bulkhead implements ConcurrencyLimit {
  readonly name: string;
  readonly #limit: number;
  readonly #queueLimit: number;
  /** In the order in which they came: a Set keeps it, and forgets one in the middle at no cost. */
  readonly #queue: Set<() => void> = new Set();
  #running = 0;

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: BulkheadOptions) {
    checkOptions('bulkhead options', options, CHECKS);
    integerFrom(1, MOST)('limit', options.limit);
    this.name = options.name ?? 'default';
    this.#limit = options.limit;
    this.#queueLimit = options.queue ?? 0;
  }

  /** Attempts that run and that wait now. */
  get state(): BulkheadState {
    return { name: this.name, running: this.#running, queued: this.#queue.size };
  }

  async run<R>(fn: () => R | PromiseLike<R>, signal: AbortSignal | undefined): Promise<R> {
    if (this.#running < this.#limit) this.#running++;
    else await this.#turn(signal);
    try {
      return await fn();
    } finally {
      this.#leave();
    }
  }

  /** Resolves with a slot. */
  #turn(signal: AbortSignal | undefined): Promise<void> {
    if (this.#queue.size >= this.#queueLimit) throw new BulkheadFullError(this.name, this.#limit, this.#queueLimit);
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        stopListening?.();
        resolve();
      };
      const stopListening =
        signal === undefined
          ? undefined
          : onAbort(signal, () => {
              this.#queue.delete(enter);
              reject(signal.reason);
            });
      this.#queue.add(enter);
    });
  }

  /** Hands the slot on, or frees it. */
  #leave(): void {
    const [enter] = this.#queue;
    if (enter === undefined) {
      this.#running--;
    } else {
      this.#queue.delete(enter);
      enter();
    }
  }
}

/** How many attempts a {@link Bulkhead} lets run and wait. */
export interface BulkheadOptions {
  /** A name for messages. Default `default`. 1 to 200 characters. */
  readonly name?: string;
  /** Attempts that may run at the same time. An integer from 1 to 1,000,000. */
  readonly limit: number;
  /** Attempts that may wait for a slot. Default 0. An integer from 0 to 1,000,000. */
  readonly queue?: number;
}

/** How full a {@link Bulkhead} is. */
export interface BulkheadState {
  readonly name: string;
  readonly running: number;
  readonly queued: number;
}

const MOST = 1_000_000;

const CHECKS: Record<keyof BulkheadOptions, Check> = {
  name: checkName,
  limit: integerFrom(1, MOST),
  queue: integerFrom(0, MOST),
};
