import { randomUUID } from 'node:crypto';
import type { Clock } from '../../engine/clock.ts';
import { type Check, checkClock, checkOptions } from '../../engine/option-checks.ts';
import { systemClock } from '../../engine/system-clock.ts';
import { checkClaim } from './claim-checks.ts';
import {
  type Claim,
  type DeadLetterStore,
  DeadLetterStoreFullError,
  type FurtherFailure,
  type LetterPage,
  type PageRequest,
  type PutResult,
  type QueueStats,
  type StoreStats,
} from './dead-letter-store.ts';
import type { DeadLetter } from './letter.ts';
import { checkFilter, fits, type LetterFilter } from './letter-filter.ts';
import { indexOf, readLetter, writeLetter } from './letter-text.ts';
import { byDeath, placeAfter, readPage } from './page.ts';
import { type Retention, readRetention } from './retention.ts';
import { failedLetter, quarantinedLetter, redrivenLetter, revivedLetter } from './transitions.ts';

/** The options of a {@link MemoryDeadLetterStore}. */
export interface MemoryDeadLetterStoreOptions {
  readonly retention?: Retention;
  readonly clock?: Clock;
}

/**
 * Dead letters in memory, for tests: they are gone with the process.
 *
 * @example
 * ```ts
 * const store = new MemoryDeadLetterStore();
 * const queue = new DeadLetterQueue({ name: 'payments', store });
 * ```
 */
export class MemoryDeadLetterStore implements DeadLetterStore {
  readonly #clock: Clock;
  readonly #retention: Required<Retention>;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #isClosed = false;

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: MemoryDeadLetterStoreOptions = {}) {
    checkOptions('the options of a MemoryDeadLetterStore', options, CHECKS);
    this.#clock = options.clock ?? systemClock;
    this.#retention = readRetention(options.retention);
  }

  async put(letter: DeadLetter): Promise<PutResult> {
    this.#mustBeOpen();
    const expired = await this.expire();
    if (this.#entries.has(letter.id)) return { outcome: 'present', evicted: expired };
    const entry = entryOf(letter);
    const evicted = this.#makeRoom(entry.bytes);
    this.#set(entry);
    return { outcome: 'stored', evicted: expired + evicted };
  }

  async get(id: string): Promise<DeadLetter | undefined> {
    this.#mustBeOpen();
    const entry = this.#entries.get(id);
    return entry === undefined ? undefined : this.#seen(entry);
  }

  async list(filter: LetterFilter = {}, page: PageRequest = {}): Promise<LetterPage> {
    const { limit, after } = readPage(page);
    const letters = this.#fitting(filter)
      .map(entry => this.#seen(entry))
      .filter(letter => after === undefined || byDeath(letter, after) > 0)
      .slice(0, limit);
    return { letters, next: placeAfter(letters, limit) };
  }

  async claim(count: number, filter: LetterFilter, owner: string, leaseMs: number): Promise<readonly Claim[]> {
    checkClaim(count, owner, leaseMs);
    const until = this.#clock.wallNow() + leaseMs;
    return this.#fitting(filter)
      .filter(entry => this.#seen(entry).state.is === 'dead' && entry.lastOwner !== owner)
      .slice(0, count)
      .map(({ letter, bytes }) => {
        const claimed = Object.freeze<DeadLetter>({ ...letter, state: { is: 'claimed', owner, until } });
        const token = randomUUID();
        this.#set({ letter: claimed, bytes, token, lastOwner: owner });
        return { letter: claimed, token };
      });
  }

  async renew(id: string, token: string, leaseMs: number): Promise<boolean> {
    return this.#change(id, token, ({ letter, ...entry }) =>
      letter.state.is === 'claimed'
        ? { ...entry, letter: { ...letter, state: { ...letter.state, until: this.#clock.wallNow() + leaseMs } } }
        : { ...entry, letter },
    );
  }

  async release(id: string, token: string): Promise<boolean> {
    return this.#change(id, token, entry => ({ ...entry, token: undefined, letter: deadAgain(entry.letter) }));
  }

  async complete(id: string, token: string): Promise<boolean> {
    return this.#change(id, token, entry => ({
      ...entryOf(redrivenLetter(entry.letter, this.#clock.wallNow())),
      lastOwner: entry.lastOwner,
    }));
  }

  async failAgain(id: string, token: string, failure: FurtherFailure): Promise<'dead' | 'quarantined' | undefined> {
    const isChanged = this.#change(id, token, entry => ({
      ...entryOf(failedLetter(entry.letter, failure)),
      lastOwner: entry.lastOwner,
    }));
    if (!isChanged) return undefined;
    return this.#entries.get(id)?.letter.state.is === 'quarantined' ? 'quarantined' : 'dead';
  }

  async quarantine(id: string, token: string, why: string): Promise<boolean> {
    return this.#change(id, token, entry => ({
      ...entryOf(quarantinedLetter(entry.letter, this.#clock.wallNow(), why)),
      lastOwner: entry.lastOwner,
    }));
  }

  async revive(filter: LetterFilter): Promise<number> {
    const found = this.#fitting(filter).filter(entry => entry.letter.state.is === 'quarantined');
    for (const entry of found) this.#set(entryOf(revivedLetter(entry.letter)));
    return found.length;
  }

  async purge(filter: LetterFilter): Promise<number> {
    const found = this.#fitting(filter).filter(entry => this.#seen(entry).state.is !== 'claimed');
    for (const entry of found) this.#delete(entry);
    return found.length;
  }

  async expire(): Promise<number> {
    this.#mustBeOpen();
    const oldest = this.#clock.wallNow() - this.#retention.maxAgeMs;
    const found = [...this.#entries.values()].filter(
      entry => entry.letter.diedAt < oldest && this.#seen(entry).state.is !== 'claimed',
    );
    for (const entry of found) this.#delete(entry);
    return found.filter(isLoss).length;
  }

  async stats(): Promise<StoreStats> {
    const queues = new Map<string, { -readonly [key in keyof QueueStats]: QueueStats[key] }>();
    for (const entry of this.#fitting({})) {
      const { queue, state, diedAt } = this.#seen(entry);
      const row = queues.get(queue) ?? {
        queue,
        dead: 0,
        claimed: 0,
        redriven: 0,
        quarantined: 0,
        oldestDiedAt: undefined,
        bytes: 0,
      };
      queues.set(queue, row);
      row[state.is]++;
      row.bytes += entry.bytes;
      // The first that comes is the oldest.
      if (state.is === 'dead' || state.is === 'claimed') row.oldestDiedAt ??= diedAt;
    }
    const rows = [...queues.values()].sort((a, b) => (a.queue < b.queue ? -1 : 1));
    return { queues: rows, letters: this.#entries.size, bytes: this.#bytes };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new TypeError('The store of dead letters is closed');
  }

  /** What fits, oldest first. */
  #fitting(filter: LetterFilter): Entry[] {
    this.#mustBeOpen();
    checkFilter(filter);
    const now = this.#clock.wallNow();
    return [...this.#entries.values()]
      .filter(entry => fits(this.#seen(entry), filter, now))
      .sort((a, b) => byDeath(a.letter, b.letter));
  }

  /** The letter as it is now: one whose lease has ended is dead. */
  #seen({ letter }: Entry): DeadLetter {
    const { state } = letter;
    return state.is === 'claimed' && state.until <= this.#clock.wallNow() ? deadAgain(letter) : letter;
  }

  #change(id: string, token: string, change: (entry: Entry) => Entry): boolean {
    this.#mustBeOpen();
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.token === undefined || entry.token !== token) return false;
    this.#set(change(entry));
    return true;
  }

  #makeRoom(bytes: number): number {
    const { maxCount, maxBytes, whenFull } = this.#retention;
    const isFull = (): boolean => this.#entries.size >= maxCount || this.#bytes + bytes > maxBytes;
    if (!isFull()) return 0;
    const limit = this.#entries.size >= maxCount ? 'maxCount' : 'maxBytes';
    const oldest = [...this.#entries.values()].sort((a, b) => byDeath(a.letter, b.letter));
    const records = oldest.filter(entry => !isLoss(entry));
    const letters = whenFull === 'drop-oldest' && bytes <= maxBytes ? oldest.filter(isLoss) : [];
    let evicted = 0;
    for (const entry of [...records, ...letters]) {
      if (!isFull()) break;
      if (this.#seen(entry).state.is === 'claimed') continue;
      this.#delete(entry);
      if (isLoss(entry)) evicted++;
    }
    if (isFull()) throw new DeadLetterStoreFullError(limit);
    return evicted;
  }

  #set(entry: Entry): void {
    const { id } = entry.letter;
    this.#bytes += entry.bytes - (this.#entries.get(id)?.bytes ?? 0);
    this.#entries.set(id, entry);
  }

  #delete({ letter, bytes }: Entry): void {
    this.#bytes -= bytes;
    this.#entries.delete(letter.id);
  }
}

interface Entry {
  readonly letter: DeadLetter;
  readonly bytes: number;
  readonly token?: string | undefined;
  /** Who was given the letter last. */
  readonly lastOwner?: string | undefined;
}

/** Letters go through their text, as they do in any other store. */
function entryOf(letter: DeadLetter): Entry {
  const text = writeLetter(letter);
  return { letter: readLetter(text, indexOf(letter), letter.state), bytes: Buffer.byteLength(text) };
}

function deadAgain(letter: DeadLetter): DeadLetter {
  return letter.state.is === 'claimed' ? Object.freeze<DeadLetter>({ ...letter, state: { is: 'dead' } }) : letter;
}

function isLoss({ letter }: Entry): boolean {
  return letter.state.is !== 'redriven';
}

const CHECKS: Readonly<Record<keyof MemoryDeadLetterStoreOptions, Check>> = {
  retention: () => undefined,
  clock: checkClock,
};
