import { reportFault } from '../../engine/faults.ts';
import type { CallRecord } from './call-record.ts';
import { HandedOverError } from './handed-over-error.ts';
import type { WaitingPoint } from './stepped-call.ts';
import type { LongWaits, WaitingCall } from './wait-keeper.ts';

/** What is known of a call from its beginning. */
export type Departing = Pick<
  WaitingCall,
  'operation' | 'version' | 'isRestorable' | 'startedAt' | 'deadline' | 'source' | 'before'
> & {
  args(): readonly unknown[];
  idempotencyKey(): string;
};

/** The way of one call out of this process, when a wait is too long for memory. */
export class WayOut {
  readonly #waits: LongWaits;
  readonly #call: Departing;
  #taken: HandedOverError | undefined = undefined;

  constructor(waits: LongWaits, call: Departing) {
    this.#waits = waits;
    this.#call = call;
  }

  /** What the caller gets, once the call was handed over. */
  get taken(): HandedOverError | undefined {
    return this.#taken;
  }

  /** Hands the call over where the wait is too long. Undefined where it stays. Never rejects. */
  async leave(point: WaitingPoint, record: CallRecord, signal: AbortSignal): Promise<HandedOverError | undefined> {
    const { maxInProcessDelay, keeper } = this.#waits;
    if (point.wait.delayMs <= maxInProcessDelay) return undefined;
    try {
      const idempotencyKey = this.#call.idempotencyKey();
      const { wait, attempts, error } = point;
      const { delayMs, delaySource } = wait;
      const call = { ...this.#call, ...record, args: this.#call.args(), idempotencyKey, attempts, error };
      const taken = await keeper.handOver({ ...call, wait: { delayMs, delaySource } }, signal);
      if (taken === undefined) return undefined;
      this.#taken = new HandedOverError(
        { operation: this.#call.operation, ...taken, attempts, idempotencyKey },
        point.error,
      );
    } catch (fault) {
      // A keeper of somebody else may well reject.
      reportFault('durable_wait', fault);
    }
    return this.#taken;
  }
}
