import {
  DeadLetterStoreFullError,
  type LetterPage,
  type PageRequest,
  type QueueStats,
  type StoreStats,
} from './dead-letter-store.ts';
import { isEnough } from './dropped-at-once.ts';
import type { DeadLetter } from './letter.ts';
import { fits, type LetterFilter } from './letter-filter.ts';
import { indexOf } from './letter-index.ts';
import { readLetter, writeLetter } from './letter-text.ts';
import { byDeath, type Place, placeAfter, readPage } from './page.ts';
import { hasOwner, ownerMark } from './past-owners.ts';
import type { Retention } from './retention.ts';

/** What a store in memory knows of a letter. */
export interface TableEntry {
  readonly letter: DeadLetter;
  /** The size of the letter's text. */
  readonly bytes: number;
  /** Of the claim, where there is one: also of one whose lease has ended, until somebody else is given the letter. */
  readonly token?: string | undefined;
  /** The marks of those who were given the letter. */
  readonly owners?: string | undefined;
}

/**
 * Letters in memory, and what can be asked of them. It decides nothing: whoever holds it says what becomes of a letter. Times
 * are milliseconds since 1970.
 */
export class LetterTable<Entry extends TableEntry = TableEntry> {
  readonly #entries = new Map<string, Entry>();
  readonly #places = new Map<string, Place>();
  #order: Place[] = [];
  #isSorted = true;
  #bytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  set(entry: Entry): void {
    const { id } = entry.letter;
    this.#bytes += entry.bytes - (this.#entries.get(id)?.bytes ?? 0);
    this.#entries.set(id, entry);
    if (!this.#places.has(id)) this.#append(entry.letter);
  }

  delete({ letter, bytes }: Entry): void {
    if (!this.#entries.delete(letter.id)) return;
    this.#bytes -= bytes;
    // Its place in the order stays until the next sorting: nobody looks at one that is not the letter's own.
    this.#places.delete(letter.id);
    if (this.#order.length > 2 * this.#entries.size + 100) this.#isSorted = false;
  }

  *oldestFirst(): Generator<Entry> {
    if (!this.#isSorted) {
      this.#order = [...this.#places.values()].sort(byDeath);
      this.#isSorted = true;
    }
    for (const place of this.#order) {
      const entry = this.#places.get(place.id) === place ? this.#entries.get(place.id) : undefined;
      if (entry !== undefined) yield entry;
    }
  }

  /** What fits, oldest first. */
  fitting(filter: LetterFilter, now: number): Entry[] {
    return [...this.oldestFirst()].filter(entry => fits(letterAt(entry, now), filter, now));
  }

  /** Up to `count` letters that fit and that `owner` may be given, oldest first. */
  claimable(count: number, filter: LetterFilter, owner: string, now: number): Entry[] {
    const found: Entry[] = [];
    const mark = ownerMark(owner);
    for (const entry of this.oldestFirst()) {
      if (found.length >= count) break;
      const letter = letterAt(entry, now);
      if (letter.state.is !== 'dead' || hasOwner(entry.owners ?? '', mark)) continue;
      if (fits(letter, filter, now)) found.push(entry);
    }
    return found;
  }

  page(filter: LetterFilter, page: PageRequest, now: number): LetterPage {
    const { limit, after } = readPage(page);
    const letters = this.fitting(filter, now)
      .map(entry => letterAt(entry, now))
      .filter(letter => after === undefined || byDeath(letter, after) > 0)
      .slice(0, limit);
    return { letters, next: placeAfter(letters, limit) };
  }

  /** What died longer ago, but for what somebody works on. */
  tooOld(maxAgeMs: number, now: number): Entry[] {
    const found: Entry[] = [];
    for (const entry of this.oldestFirst()) {
      if (entry.letter.diedAt >= now - maxAgeMs) break;
      if (!isHeld(entry, now)) found.push(entry);
    }
    return found;
  }

  /**
   * What has to go to make room for a letter of so many bytes: records of redrives first, and then the oldest letters where
   * that is allowed, until the limits hold or it is enough for one letter.
   *
   * @throws DeadLetterStoreFullError when that does not suffice
   */
  roomFor(bytes: number, retention: Required<Retention>, now: number): Entry[] {
    const { maxCount, maxBytes, whenFull } = retention;
    const dropped = { count: 0, bytes: 0 };
    const isFull = (): boolean =>
      (this.size - dropped.count >= maxCount || this.#bytes - dropped.bytes + bytes > maxBytes) &&
      !isEnough(dropped, bytes, retention);
    if (!isFull()) return [];
    const limit = this.size >= maxCount ? 'maxCount' : 'maxBytes';
    const oldest = [...this.oldestFirst()];
    const records = oldest.filter(entry => !isLoss(entry));
    const letters = whenFull === 'drop-oldest' && bytes <= maxBytes ? oldest.filter(isLoss) : [];
    const going: Entry[] = [];
    for (const entry of [...records, ...letters]) {
      if (!isFull()) break;
      if (isHeld(entry, now)) continue;
      going.push(entry);
      dropped.count++;
      dropped.bytes += entry.bytes;
    }
    if (isFull()) throw new DeadLetterStoreFullError(limit);
    return going;
  }

  stats(now: number): StoreStats {
    const queues = new Map<string, { -readonly [key in keyof QueueStats]: QueueStats[key] }>();
    for (const entry of this.oldestFirst()) {
      const { queue, state, diedAt } = letterAt(entry, now);
      const none = { dead: 0, claimed: 0, redriven: 0, quarantined: 0, oldestDiedAt: undefined, bytes: 0 };
      const row = queues.get(queue) ?? { queue, ...none };
      queues.set(queue, row);
      row[state.is]++;
      row.bytes += entry.bytes;
      // The first that comes is the oldest.
      if (state.is === 'dead' || state.is === 'claimed') row.oldestDiedAt ??= diedAt;
    }
    const rows = [...queues.values()].sort((a, b) => (a.queue < b.queue ? -1 : 1));
    return { queues: rows, letters: this.size, bytes: this.#bytes };
  }

  #append({ id, diedAt }: DeadLetter): void {
    const place = { id, diedAt };
    const last = this.#order.at(-1);
    if (last !== undefined && byDeath(last, place) > 0) this.#isSorted = false;
    this.#places.set(id, place);
    this.#order.push(place);
  }
}

/** A letter and its size. It goes through its text, as in any other store. */
export function entryOf(letter: DeadLetter): TableEntry {
  const text = writeLetter(letter);
  return { letter: readLetter(text, indexOf(letter), letter.state), bytes: Buffer.byteLength(text) };
}

/** The letter as it is at a time: one whose lease has ended is dead. */
export function letterAt({ letter }: TableEntry, now: number): DeadLetter {
  const { state } = letter;
  return state.is === 'claimed' && state.until <= now ? unclaimed(letter) : letter;
}

/** The letter without its claim. */
export function unclaimed(letter: DeadLetter): DeadLetter {
  return letter.state.is === 'claimed' ? Object.freeze<DeadLetter>({ ...letter, state: { is: 'dead' } }) : letter;
}

/** Whether somebody works on it. */
export function isHeld(entry: TableEntry, now: number): boolean {
  return letterAt(entry, now).state.is === 'claimed';
}

/** Whether something is lost when it goes: records of redrives are none. */
export function isLoss({ letter }: TableEntry): boolean {
  return letter.state.is !== 'redriven';
}
