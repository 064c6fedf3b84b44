import type { AttemptFunction } from '../engine/attempt.ts';
import { OperationClosedError } from '../engine/errors.ts';
import { execute } from '../engine/execute.ts';
import { forwardAbort } from '../engine/forward-abort.ts';
import type { RetryOptions } from '../engine/options.ts';
import { createPolicy, type Policy } from '../engine/policy.ts';
import { requireFunction } from './require-function.ts';

/**
 * A named operation whose calls end with the block that declares it: with `await using`, leaving the block aborts
 * what still runs or waits, and waits until it has settled.
 *
 * @example
 * ```ts
 * await using operation = new RetryableOperation({ operation: 'data_processing', maxAttempts: 3 });
 * const result = await operation.run(({ signal }) => processData(signal));
 * ```
 */
export class RetryableOperation<T = unknown, F = never> {
  readonly #policy: Policy;
  readonly #closing: AbortController = new AbortController();
  readonly #running: Set<Promise<unknown>> = new Set();

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: RetryOptions<T, F> = {}) {
    this.#policy = createPolicy(options);
  }

  /**
   * Runs one call; see {@link retry}.
   *
   * @throws OperationClosedError, as a rejection, when the operation has been disposed of
   */
  run<R extends T>(fn: AttemptFunction<R>): Promise<R | F> {
    requireFunction('run', fn);
    const call = this.#execute(fn);
    this.#running.add(call);
    const forget = (): void => {
      this.#running.delete(call);
    };
    call.then(forget, forget);
    return call;
  }

  /** Aborts the calls that still run, and resolves when they have settled. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new OperationClosedError());
    await Promise.allSettled(this.#running);
  }

  /** The policy's signal may outlive any number of operations, so it is watched only while a call runs. */
  async #execute<R extends T>(fn: AttemptFunction<R>): Promise<R | F> {
    const { signal, deadline } = this.#policy;
    const stopListening = forwardAbort(signal, this.#closing);
    try {
      return await execute<R | F>(this.#policy, fn, { signal: this.#closing.signal, deadline });
    } finally {
      stopListening?.();
    }
  }
}
