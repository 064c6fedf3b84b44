import type { Policy } from '../../engine/policy.ts';
import type { LetterKeeper } from './letter-keeper.ts';
import type { OperationContext } from './operation-context.ts';
import type { StoredCall } from './stored-call.ts';
import type { LongWaits } from './wait-keeper.ts';

/** What a redrive, or a worker, needs to run an operation again. */
export interface RegisteredOperation {
  readonly name: string;
  /** The version of its arguments. */
  readonly version: number;
  readonly policy: Policy;
  handle(context: OperationContext, args: readonly unknown[]): unknown;
  readonly restore: Restore<unknown[]> | undefined;
  readonly deadLetter: LetterKeeper | undefined;
  readonly longWaits: LongWaits | undefined;
}

/**
 * Makes the arguments of a call out of what was stored, at every redrive and whenever a call goes on that was handed
 * over. `stored` is undefined where the payload could not be kept; `call` is the letter, or what is known of the call. It
 * may fetch what was redacted, or bring the arguments of an older version up to date.
 */
export type Restore<Args extends unknown[]> = (
  stored: readonly unknown[] | undefined,
  call: StoredCall,
) => Args | PromiseLike<Args>;

/**
 * The operations that can be redriven, by name. A letter holds a name and never code: what is not in here is not run.
 */
export class OperationRegistry {
  readonly #operations = new Map<string, RegisteredOperation>();

  /** @throws TypeError when the name is taken: letters would reach the wrong handler */
  add(operation: RegisteredOperation): void {
    if (this.#operations.has(operation.name)) {
      throw new TypeError(`The operation ${JSON.stringify(operation.name)} is defined already`);
    }
    this.#operations.set(operation.name, operation);
  }

  get(name: string): RegisteredOperation | undefined {
    return this.#operations.get(name);
  }

  /** Takes an operation away, as a test does; false when it was not there. */
  delete(name: string): boolean {
    return this.#operations.delete(name);
  }

  names(): readonly string[] {
    return [...this.#operations.keys()];
  }
}

/** The registry of the process. */
export const operations: OperationRegistry = /* @__PURE__ */ sharedRegistry();

function sharedRegistry(): OperationRegistry {
  const key = Symbol.for('retryscope.operations.1');
  const shared = globalThis as { [key: symbol]: OperationRegistry | undefined };
  shared[key] ??= new OperationRegistry();
  return shared[key];
}
