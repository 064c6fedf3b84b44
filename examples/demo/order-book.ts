import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  DeadLetterQueue,
  defineOperation,
  type OperationContext,
  type QueueCounts,
  redrive,
} from 'retryscope/dead-letters';
import { SqliteDeadLetterStore } from 'retryscope/dead-letters/sqlite';
import { fetchJson } from './upstream-client.ts';

/** How often letters are sent again while the demo runs for ever, in milliseconds. */
const REDRIVE_EVERY_MS = 10_000;
/** How long sending them again may take, in milliseconds. */
const PATIENCE_MS = 10_000;

/** What became of the letters. */
export interface LetterTally extends Readonly<QueueCounts> {
  /** Still in the store, to be sent again. */
  readonly left: number;
}

/** Tells the upstream of each order. Not one may be lost, so what is given up is kept, and sent again later. */
export class OrderBook {
  readonly #folder: string;
  readonly #store: SqliteDeadLetterStore;
  readonly #queue: DeadLetterQueue;
  /** Resolves as well where the order has to wait in the queue: that is no trouble of the customer's. */
  readonly record: (order: { readonly id: string }) => Promise<unknown>;

  constructor(upstream: string) {
    this.#folder = mkdtempSync(join(tmpdir(), 'retryscope-demo-'));
    this.#store = new SqliteDeadLetterStore({ file: join(this.#folder, 'dead-letters.db') });
    this.#queue = new DeadLetterQueue({ name: 'orders', store: this.#store });
    this.record = defineOperation(
      'record_order',
      function (this: OperationContext, order: { readonly id: string }): Promise<unknown> {
        const headers = { 'idempotency-key': this.idempotencyKey };
        return fetchJson(`${upstream}/orders/${order.id}`, { method: 'PUT', headers, signal: this.signal });
      },
      { maxAttempts: 3, initialDelay: 150, attemptTimeout: 500, deadLetter: this.#queue, fallback: null },
    );
  }

  /** Sends letters again; it stops by itself where most of them fail again. */
  async redrive(): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    // A letter that met several outages is none that has to be put aside.
    await redrive(this.#queue, { concurrency: 8, ratePerSecond: 100, quarantineAfter: 1000, signal });
  }

  /** Sends letters again now and then, until `signal` aborts. */
  async keepRedriving(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await delay(REDRIVE_EVERY_MS, undefined, { signal }).catch(() => undefined);
      // What went wrong is counted; the next time may be better.
      if (!signal.aborted) await this.redrive().catch(() => undefined);
    }
  }

  async tally(): Promise<LetterTally> {
    const { dead, claimed } = await this.#queue.stats();
    return { ...this.#queue.counts, left: dead + claimed };
  }

  async close(): Promise<void> {
    await this.#queue.close();
    await this.#store.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
