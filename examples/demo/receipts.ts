import { defineOperation, isHandedOver } from 'retryscope/dead-letters';
import { type BullmqJobOptions, type BullmqQueue, BullmqWaits } from 'retryscope/durable/bullmq';
import { fetchJson } from './upstream-client.ts';

/** A wait that is longer leaves the call, in milliseconds. In a service it would be half a minute. */
const LONGEST_WAIT_MS = 400;

/**
 * Mails the receipts of orders. Nobody waits for them, so a call may wait long for the mail service: not in memory, but in a
 * queue of jobs.
 */
export class Receipts {
  readonly #send: (order: { readonly id: string }) => Promise<unknown>;

  constructor(upstream: string) {
    const queue = new ProcessQueue();
    const durable = new BullmqWaits({ queue });
    queue.work(durable.process);
    this.#send = defineOperation(
      'mail_receipt',
      ({ id }: { readonly id: string }) => fetchJson(`${upstream}/receipts/${id}`, { method: 'PUT' }),
      { maxAttempts: 4, initialDelay: 250, maxDelay: 5000, durable, maxInProcessDelay: LONGEST_WAIT_MS },
    );
  }

  /** Resolves when the receipt is mailed, given up, or waits in the queue: that is no trouble of the customer's. */
  async mail(order: string): Promise<'mailed' | 'later' | 'given_up'> {
    try {
      await this.#send({ id: order });
      return 'mailed';
    } catch (error) {
      return isHandedOver(error) ? 'later' : 'given_up';
    }
  }
}

/** Stands in for a `Queue` and a `Worker` of BullMQ, so that the demo needs no Redis: its jobs end with the process. */
class ProcessQueue implements BullmqQueue {
  readonly name = 'receipts';
  #process: BullmqWaits['process'] | undefined;

  work(process: BullmqWaits['process']): void {
    this.#process = process;
  }

  async add(_name: string, data: object, { jobId, delay }: BullmqJobOptions): Promise<void> {
    this.#runIn(delay, jobId, data);
  }

  async remove(): Promise<void> {
    // Asked for after a failure to add, which there is none of here.
  }

  #runIn(delayMs: number, id: string, data: object): void {
    setTimeout(() => {
      let latest = data;
      const job = {
        id,
        data,
        updateData: async (next: object) => {
          latest = next;
        },
        moveToDelayed: async (at: number) => this.#runIn(at - Date.now(), id, latest),
      };
      // What becomes of it is counted and logged; a job that fails would stay in BullMQ's list of those.
      this.#process?.(job).catch(() => undefined);
    }, delayMs).unref();
  }
}
