import type { Clock } from '../../engine/clock.ts';
import { errorType } from '../../engine/error-type.ts';
import { reportFault } from '../../engine/faults.ts';
import { guarded } from '../../engine/guarded.ts';
import { callHook } from '../../engine/hook.ts';
import type { StopReason } from '../../engine/outcome.ts';
import { systemClock } from '../../engine/system-clock.ts';
import type { DeadLetterStore, PutResult, QueueStats } from './dead-letter-store.ts';
import { type FailedCall, givenUp } from './failed-call.ts';
import { inTime, type TimeLimit } from './in-time.ts';
import { lastResortLine, noLetterLine, writeToStandardError } from './last-resort.ts';
import type { DeadLetter } from './letter.ts';
import { checkFilter, type LetterFilter } from './letter-filter.ts';
import type { GivenUpCall, LetterKeeper } from './letter-keeper.ts';
import { LetterRing } from './letter-ring.ts';
import { type LetterEnd, traceKeep } from './letter-tracing.ts';
import { makeLetter } from './make-letter.ts';
import type { PayloadTerms } from './pack-payload.ts';
import type { PayloadCipher } from './payload-cipher.ts';
import type { QueueCounts, QueueEvent } from './queue-event.ts';
import { checkQueueOptions, type DeadLetterQueueOptions, QUEUE_DEFAULTS } from './queue-options.ts';
import { type ReadableQueue, registerQueue, tellListeners } from './queue-registry.ts';
import { redactPayload } from './redact-payload.ts';

/**
 * Keeps the calls of named operations that were given up; see `defineOperation`. A call settles once its letter is durable.
 *
 * When the store fails, is full or takes too long, the caller still gets its own error: the letter is written to standard
 * error as one line of JSON, counted as `not_stored`, and waits in memory until the store takes it.
 *
 * @example
 * ```ts
 * const store = new SqliteDeadLetterStore({ file: 'data/dead-letters.db' });
 * const queue = new DeadLetterQueue({ name: 'payments', store });
 * const chargeCard = defineOperation('charge_card', charge, { maxAttempts: 5, deadLetter: queue });
 * ```
 */
export class DeadLetterQueue implements LetterKeeper, ReadableQueue {
  readonly name: string;
  readonly store: DeadLetterStore;
  readonly cipher: PayloadCipher | undefined;
  readonly clock: Clock;
  readonly #reasons: ReadonlySet<StopReason>;
  readonly #terms: PayloadTerms;
  readonly #storing: TimeLimit;
  readonly #ring: LetterRing;
  readonly #lastResort: (line: string) => void;
  readonly #onEvent: ((event: QueueEvent) => void) | undefined;
  readonly #counts: QueueCounts = {
    stored: 0,
    not_stored: 0,
    redriven: 0,
    failed: 0,
    evicted: 0,
    quarantined: 0,
    purged: 0,
  };
  #flushing: Promise<number> | undefined = undefined;
  #cancelFlush: (() => void) | undefined = undefined;
  /** The round that is under way ends at its next refusal: one that leaves no letter out comes after it. */
  #isClosing = false;

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: DeadLetterQueueOptions) {
    checkQueueOptions(options);
    const { name, store, cipher, clock = systemClock, redact = redactPayload } = options;
    this.name = name;
    this.store = store;
    this.cipher = cipher;
    this.clock = clock;
    this.#reasons = new Set(options.reasons ?? QUEUE_DEFAULTS.reasons);
    const maxBytes = options.maxPayloadBytes ?? QUEUE_DEFAULTS.maxPayloadBytes;
    this.#storing = { clock, timeoutMs: options.storeTimeoutMs ?? QUEUE_DEFAULTS.storeTimeoutMs };
    this.#terms = { maxBytes, redact: redact === false ? undefined : redact, cipher, sealing: this.#storing };
    this.#ring = new LetterRing(options.ringSize ?? QUEUE_DEFAULTS.ringSize);
    this.#lastResort = options.lastResort ?? (line => writeToStandardError(line, clock));
    this.#onEvent = options.onEvent;
    registerQueue(this);
  }

  get counts(): Readonly<QueueCounts> {
    return this.#counts;
  }

  get waiting(): number {
    return this.#ring.length;
  }

  /**
   * Keeps a call that was given up. Never rejects. `not_kept` where the queue does not keep calls that stopped for that
   * reason.
   */
  async keep(call: GivenUpCall): Promise<'stored' | 'not_stored' | 'not_kept'> {
    if (!this.#reasons.has(call.reason)) return 'not_kept';
    try {
      const letter = await makeLetter(call, this.name, this.#wallNow(), this.#terms);
      return (await traceKeep(letter, () => this.#keep(letter))).result;
    } catch (fault) {
      // Nothing above throws, but memory and the call stack end somewhere.
      reportFault('dead_letter', fault);
      const { operation } = call;
      const storeError = errorType(fault);
      this.#resort(() => noLetterLine(this.name, operation, storeError));
      this.tell({ event: 'not_stored', letters: 1, operation, storeError });
      return 'not_stored';
    }
  }

  /**
   * The letter of a call that failed outside of a policy, as this queue would keep it: arguments and error are made
   * ready in the same way. It is for a store that keeps letters inside a transaction of yours; nothing is stored or
   * counted here.
   *
   * @throws TypeError or RangeError, naming the field, the value and what is allowed
   *
   * @example
   * ```ts
   * await store.enqueue(client, await queue.letterFor({ operation: 'send_mail', args: [order], error }));
   * ```
   */
  async letterFor(call: FailedCall): Promise<DeadLetter> {
    const now = this.#wallNow();
    return makeLetter(givenUp(call, now), this.name, now, this.#terms);
  }

  /**
   * Offers the letters that wait in memory to the store again, until it refuses two in a row: then it seems to be away, and
   * the rest waits for another time. Gives how many it took. Never rejects.
   */
  flush(): Promise<number> {
    return this.#goRound(0);
  }

  /** What this queue has in the store. */
  async stats(): Promise<QueueStats> {
    const { queues } = await this.store.stats();
    const none = { dead: 0, claimed: 0, redriven: 0, quarantined: 0, oldestDiedAt: undefined, bytes: 0 };
    return queues.find(row => row.queue === this.name) ?? { queue: this.name, ...none };
  }

  /** Deletes letters of this queue, but for those that somebody works on. Gives how many. */
  async purge(filter: Omit<LetterFilter, 'queue'>): Promise<number> {
    // What was left out by mistake must not mean "all of them".
    checkFilter(filter);
    const letters = await this.store.purge({ ...filter, queue: this.name });
    this.tell({ event: 'purged', letters });
    return letters;
  }

  /** Counts something that happened to letters of this queue, and tells whoever listens. */
  tell(event: Omit<QueueEvent, 'queue'>): void {
    if (event.letters === 0) return;
    this.#counts[event.event] += event.letters;
    const told: QueueEvent = { queue: this.name, ...event };
    if (this.#onEvent !== undefined) callHook(this.#onEvent, told);
    tellListeners(told);
  }

  /**
   * Offers every letter that waits in memory to the store once more. It gives up when the store, asked for two letters or
   * more, has taken none for `storeTimeoutMs`. The store stays open.
   */
  async close(): Promise<void> {
    this.#cancelFlush?.();
    this.#isClosing = true;
    await this.#flushing;
    this.#isClosing = false;
    await this.#goRound(this.#storing.timeoutMs);
    this.#cancelFlush?.();
  }

  #wallNow(): number {
    return Math.floor(this.clock.wallNow());
  }

  async #keep(letter: DeadLetter): Promise<LetterEnd & { readonly result: 'stored' | 'not_stored' }> {
    const { id, operation, trace } = letter;
    try {
      this.#stored(letter, await this.#put(letter));
    } catch (fault) {
      const storeError = errorType(fault);
      reportFault('dead_letter', fault);
      this.#ring.push(letter);
      this.#resort(() => lastResortLine(letter, storeError));
      this.tell({ event: 'not_stored', letters: 1, id, operation, storeError, trace });
      this.#flushLater();
      return { result: 'not_stored', error: { type: storeError } };
    }
    if (this.#ring.length > 0) void this.flush();
    return { result: 'stored' };
  }

  #stored({ id, operation, trace }: DeadLetter, { evicted, warning }: PutResult): void {
    this.tell({ event: 'stored', letters: 1, id, operation, trace });
    this.tell({ event: 'evicted', letters: evicted });
    if (warning === 'disk_full') warnOfFullDisk(this.name);
  }

  /** Rejects when the store takes too long; the letter may get in all the same, and once only. */
  #put(letter: DeadLetter): Promise<PutResult> {
    return inTime(() => this.store.put(letter), this.#storing, 'The store');
  }

  /** Lets one round be under way at a time. */
  #goRound(patienceMs: number): Promise<number> {
    this.#flushing ??= this.#round(patienceMs).finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  /** Offers each letter that waits once. A store that seems to be away is asked on for `patienceMs` since it took one. */
  async #round(patienceMs: number): Promise<number> {
    const refused = new Set<DeadLetter>();
    let [taken, inARow, since] = [0, 0, this.clock.now()];
    for (let letter = this.#ring.peek(); letter !== undefined && !refused.has(letter); letter = this.#ring.peek()) {
      try {
        const result = await this.#put(letter);
        this.#ring.remove(letter);
        this.#stored(letter, result);
        taken++;
        [inARow, since] = [0, this.clock.now()];
      } catch {
        // It may be this one alone that the store does not take: the others are not to wait for it.
        this.#ring.toTheEnd(letter);
        refused.add(letter);
        inARow++;
        if (inARow >= SIGNS_OF_ABSENCE && this.clock.now() - since >= patienceMs) break;
        if (this.#isClosing && patienceMs === 0) break;
      }
    }
    this.#flushLater();
    return taken;
  }

  #flushLater(): void {
    if (this.#ring.length === 0) return;
    this.#cancelFlush?.();
    this.#cancelFlush = this.clock.timer(FLUSH_PAUSE_MS, () => void this.flush(), 'unref');
  }

  #resort(line: () => string): void {
    guarded('hook', () => this.#lastResort(line()));
  }
}

const FLUSH_PAUSE_MS = 5000;
/** So many letters in a row that a store refuses, whatever it says, are no matter of the letters: it is away, or full. */
const SIGNS_OF_ABSENCE = 2;

function warnOfFullDisk(queue: string): void {
  try {
    process.emitWarning(
      `The disk under the dead letters of ${JSON.stringify(queue)} is full. The space that was kept for this is in use now: make room.`,
      { type: 'RetryscopeWarning', code: 'RETRYSCOPE_DISK_FULL' },
    );
  } catch {
    // A process that forbids warnings has said that it does not want to know.
  }
}
