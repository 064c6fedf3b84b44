import { randomUUID } from 'node:crypto';
import type { Clock } from '../../engine/clock.ts';
import { type Check, checkClock, checkOptions } from '../../engine/option-checks.ts';
import { systemClock } from '../../engine/system-clock.ts';
import { checkClaim } from './claim-checks.ts';
import type {
  Claim,
  DeadLetterStore,
  FurtherFailure,
  LetterPage,
  PageRequest,
  PutResult,
  StoreStats,
} from './dead-letter-store.ts';
import type { DeadLetter } from './letter.ts';
import { checkFilter, type LetterFilter } from './letter-filter.ts';
import { entryOf, isHeld, isLoss, LetterTable, letterAt, type TableEntry, unclaimed } from './letter-table.ts';
import { ownerMark, withOwner } from './past-owners.ts';
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
  readonly #table = new LetterTable();
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
    if (this.#table.get(letter.id) !== undefined) return { outcome: 'present', evicted: expired };
    const entry = entryOf(letter);
    const going = this.#table.roomFor(entry.bytes, this.#retention, this.#clock.wallNow());
    for (const old of going) this.#table.delete(old);
    this.#table.set(entry);
    return { outcome: 'stored', evicted: expired + going.filter(isLoss).length };
  }

  async get(id: string): Promise<DeadLetter | undefined> {
    this.#mustBeOpen();
    const entry = this.#table.get(id);
    return entry === undefined ? undefined : letterAt(entry, this.#clock.wallNow());
  }

  async list(filter: LetterFilter = {}, page: PageRequest = {}): Promise<LetterPage> {
    this.#mustBeOpen();
    checkFilter(filter);
    return this.#table.page(filter, page, this.#clock.wallNow());
  }

  async claim(count: number, filter: LetterFilter, owner: string, leaseMs: number): Promise<readonly Claim[]> {
    this.#mustBeOpen();
    checkClaim(count, owner, leaseMs);
    checkFilter(filter);
    const now = this.#clock.wallNow();
    const mark = ownerMark(owner);
    return this.#table.claimable(count, filter, owner, now).map(({ letter, bytes, owners = '' }) => {
      const state = { is: 'claimed', owner, until: now + leaseMs } as const;
      const claimed = Object.freeze<DeadLetter>({ ...letter, state });
      const token = randomUUID();
      this.#table.set({ letter: claimed, bytes, token, owners: withOwner(owners, mark) });
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
    return this.#change(id, token, entry => ({ ...entry, token: undefined, letter: unclaimed(entry.letter) }));
  }

  async complete(id: string, token: string): Promise<boolean> {
    return this.#change(id, token, entry => ({
      ...entryOf(redrivenLetter(entry.letter, this.#clock.wallNow())),
      owners: entry.owners,
    }));
  }

  async failAgain(id: string, token: string, failure: FurtherFailure): Promise<'dead' | 'quarantined' | undefined> {
    const isChanged = this.#change(id, token, entry => ({
      ...entryOf(failedLetter(entry.letter, failure)),
      owners: entry.owners,
    }));
    if (!isChanged) return undefined;
    return this.#table.get(id)?.letter.state.is === 'quarantined' ? 'quarantined' : 'dead';
  }

  async quarantine(id: string, token: string, why: string): Promise<boolean> {
    return this.#change(id, token, entry => ({
      ...entryOf(quarantinedLetter(entry.letter, this.#clock.wallNow(), why)),
      owners: entry.owners,
    }));
  }

  async revive(filter: LetterFilter): Promise<number> {
    const found = this.#fitting(filter).filter(entry => entry.letter.state.is === 'quarantined');
    for (const entry of found) this.#table.set(entryOf(revivedLetter(entry.letter)));
    return found.length;
  }

  async purge(filter: LetterFilter): Promise<number> {
    const now = this.#clock.wallNow();
    const found = this.#fitting(filter).filter(entry => !isHeld(entry, now));
    for (const entry of found) this.#table.delete(entry);
    return found.length;
  }

  async expire(): Promise<number> {
    this.#mustBeOpen();
    const found = this.#table.tooOld(this.#retention.maxAgeMs, this.#clock.wallNow());
    for (const entry of found) this.#table.delete(entry);
    return found.filter(isLoss).length;
  }

  async stats(): Promise<StoreStats> {
    this.#mustBeOpen();
    return this.#table.stats(this.#clock.wallNow());
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
  #fitting(filter: LetterFilter): TableEntry[] {
    this.#mustBeOpen();
    checkFilter(filter);
    return this.#table.fitting(filter, this.#clock.wallNow());
  }

  #change(id: string, token: string, change: (entry: TableEntry) => TableEntry): boolean {
    this.#mustBeOpen();
    const entry = this.#table.get(id);
    if (entry === undefined || entry.token === undefined || entry.token !== token) return false;
    this.#table.set(change(entry));
    return true;
  }
}

const CHECKS: Readonly<Record<keyof MemoryDeadLetterStoreOptions, Check>> = {
  retention: () => undefined,
  clock: checkClock,
};
