import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../engine/clock.ts';
import { milliseconds } from '../../../engine/option-checks.ts';
import { checkClaim } from '../claim-checks.ts';
import type {
  Claim,
  DeadLetterStore,
  FurtherFailure,
  LetterPage,
  PageRequest,
  PutResult,
  StoreStats,
} from '../dead-letter-store.ts';
import type { DeadLetter } from '../letter.ts';
import { checkFilter, type LetterFilter } from '../letter-filter.ts';
import { isHeld, isLoss, letterAt } from '../letter-table.ts';
import { writeLetter } from '../letter-text.ts';
import { readPage } from '../page.ts';
import type { Retention } from '../retention.ts';
import { afterFailure } from '../transitions.ts';
import { inPartitions, partitionOf } from './letter-partitions.ts';
import { DeadLetterLogError } from './log-error.ts';
import { checkLetter, type LetterVersion, type LogEvent } from './log-event.ts';
import { LogView } from './log-view.ts';
import type { LogEntry } from './projection.ts';
import { RecentIds } from './recent-ids.ts';
import { SourceCopies } from './source-copies.ts';
import { type KafkaDeadLetterStoreOptions, readStoreOptions } from './store-options.ts';

/**
 * Dead letters in Kafka. A topic holds the letters and everything that happens to them; each process reads it from its beginning
 * into memory, and goes on reading. What counts is the order in the log: of two claims of a letter the first one holds, and
 * whoever wrote the other one sees that before it works.
 *
 * A letter that was accepted is on every in-sync replica (`acks=all`): set `min.insync.replicas` to 2 or more. A write that
 * Kafka repeats changes nothing the second time.
 *
 * Leases go by the timestamps of the records. Those are of the writers' clocks, unless the topic has
 * `message.timestamp.type=LogAppendTime`; without that, a redriver whose clock is fast takes letters early by so much.
 *
 * Nothing is deleted in the log itself: what is purged, done with or too old is gone for every reader of the store, but its
 * record stays on the brokers until the topic's own retention takes it. Where that must not be, encrypt the payloads; see
 * `aes256Gcm`. The limits of `retention` hold as far as a writer has read: letters that are put at the same moment may exceed
 * them together.
 *
 * Methods that read need the log read to its end first, which takes seconds in a process that has just started. `put` waits
 * for that for one second only: then it keeps the letter without looking at `maxCount` and `maxBytes`.
 *
 * @example
 * ```ts
 * const kafka = new Kafka({ brokers: ['kafka-1:9092', 'kafka-2:9092'] });
 * await using store = new KafkaDeadLetterStore({ log: kafkajsLog(kafka) });
 * const queue = new DeadLetterQueue({ name: 'payments', store });
 * ```
 */
export class KafkaDeadLetterStore implements DeadLetterStore {
  readonly topic: string;
  readonly #view: LogView;
  readonly #clock: Clock;
  readonly #retention: Required<Retention>;
  readonly #copies: SourceCopies | undefined;
  readonly #timeoutMs: number;
  /** Letters that are in the log, and were not read back in time: they need not be written again. */
  readonly #unread = new RecentIds();
  /** What went to make room, and no answer has told of yet: the letter that it was for may have failed. */
  #evicted = 0;
  #claiming: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: KafkaDeadLetterStoreOptions) {
    const { log, topic, clock, retention, timeoutMs, copyToSource, topicSuffix } = readStoreOptions(options);
    this.topic = topic;
    this.#clock = clock;
    this.#retention = retention;
    this.#timeoutMs = timeoutMs;
    this.#copies = copyToSource ? new SourceCopies(log, topicSuffix) : undefined;
    this.#view = new LogView(log, topic, clock, timeoutMs);
  }

  async put(letter: DeadLetter): Promise<PutResult> {
    this.#mustBeOpen();
    checkLetter(letter);
    const partition = partitionOf(letter.id, await this.#view.partitions());
    await this.#load();
    let isPresent = this.#has(letter.id);
    if (this.#view.isLoaded && !this.#view.hasNewer) {
      await this.#drop(this.#tooOld());
      isPresent = this.#has(letter.id);
      if (!isPresent) await this.#drop(this.#inTheWayOf(letter));
    }
    if (!isPresent) isPresent = !(await this.#putNew(letter, partition));
    await this.#copies?.make(letter, this.#clock.wallNow());
    const evicted = this.#evicted;
    this.#evicted = 0;
    return { outcome: isPresent ? 'present' : 'stored', evicted };
  }

  async get(id: string): Promise<DeadLetter | undefined> {
    await this.#sync();
    const entry = this.#table.get(id);
    return entry === undefined ? undefined : letterAt(entry, this.#clock.wallNow());
  }

  async list(filter: LetterFilter = {}, page: PageRequest = {}): Promise<LetterPage> {
    checkFilter(filter);
    readPage(page);
    await this.#sync();
    return this.#table.page(filter, page, this.#clock.wallNow());
  }

  async claim(count: number, filter: LetterFilter, owner: string, leaseMs: number): Promise<readonly Claim[]> {
    this.#mustBeOpen();
    checkClaim(count, owner, leaseMs);
    checkFilter(filter);
    // One after another in a process: they would only take the same letters from each other.
    const claim = this.#claiming.then(() => this.#claim(count, filter, owner, leaseMs));
    this.#claiming = claim.catch(() => undefined);
    return claim;
  }

  async renew(id: string, token: string, leaseMs: number): Promise<boolean> {
    milliseconds(1)('leaseMs', leaseMs);
    return (await this.#change({ event: 'renew', id, token, leaseMs })) !== undefined;
  }

  async release(id: string, token: string): Promise<boolean> {
    return (await this.#change({ event: 'release', id, token })) !== undefined;
  }

  async complete(id: string, token: string): Promise<boolean> {
    return (await this.#change({ event: 'complete', id, token })) !== undefined;
  }

  async failAgain(id: string, token: string, failure: FurtherFailure): Promise<'dead' | 'quarantined' | undefined> {
    return afterFailure(await this.#change({ event: 'fail', id, token, failure }));
  }

  async quarantine(id: string, token: string, why: string): Promise<boolean> {
    return (await this.#change({ event: 'quarantine', id, token, why: why.slice(0, LONGEST_WHY) })) !== undefined;
  }

  async revive(filter: LetterFilter): Promise<number> {
    checkFilter(filter);
    await this.#syncToDecide();
    const found = this.#table.fitting(filter, this.#clock.wallNow());
    const revived = await this.#changeAll(
      'revive',
      found.filter(({ letter }) => letter.state.is === 'quarantined'),
    );
    return revived.length;
  }

  async purge(filter: LetterFilter): Promise<number> {
    checkFilter(filter);
    await this.#syncToDecide();
    const now = this.#clock.wallNow();
    const found = this.#table.fitting(filter, now).filter(entry => !isHeld(entry, now));
    return (await this.#changeAll('purge', found)).length;
  }

  async expire(): Promise<number> {
    await this.#syncToDecide();
    return countLosses(await this.#changeAll('purge', this.#tooOld()));
  }

  async stats(): Promise<StoreStats> {
    await this.#sync();
    return this.#table.stats(this.#clock.wallNow());
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#view.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #table(): LogView['projection']['table'] {
    return this.#view.projection.table;
  }

  /** How long a put waits for what it could do without. */
  get #patience(): number {
    return Math.min(PATIENCE_MS, this.#timeoutMs);
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new TypeError('The store of dead letters is closed');
  }

  async #sync(): Promise<void> {
    this.#mustBeOpen();
    await this.#view.sync();
  }

  async #syncToDecide(): Promise<void> {
    await this.#sync();
    if (this.#view.hasNewer) throw new DeadLetterLogError('newer_version', this.topic);
  }

  /** Reads the log once, if that does not take long. */
  async #load(): Promise<void> {
    if (this.#view.isLoaded) return;
    try {
      await this.#view.sync(this.#patience);
    } catch {
      // To keep the letter matters more than to know what else is there.
    }
  }

  /** False when the letter was there already. */
  async #putNew(letter: DeadLetter, partition: number): Promise<boolean> {
    const bytes = sizeOf(letter);
    // Before it is known to be stored: where Kafka answers too late, the next put finds it there.
    this.#copies?.owe(letter);
    const appended = await this.#view.append({ event: 'put', nonce: randomUUID(), letter, bytes }, partition);
    this.#unread.add(letter.id);
    try {
      const isNew = (await appended.outcome(this.#patience)).length > 0;
      this.#unread.delete(letter.id);
      return isNew;
    } catch {
      // It is on every in-sync replica. That it cannot be read now makes it no less stored.
      return true;
    }
  }

  #has(id: string): boolean {
    if (this.#table.get(id) === undefined) return this.#unread.has(id);
    this.#unread.delete(id);
    return true;
  }

  #tooOld(): LogEntry[] {
    return this.#table.tooOld(this.#retention.maxAgeMs, this.#clock.wallNow());
  }

  #inTheWayOf(letter: DeadLetter): LogEntry[] {
    return this.#table.roomFor(sizeOf(letter), this.#retention, this.#clock.wallNow());
  }

  /** Deletes what has to go for a letter. That this fails is no reason to lose the letter as well. */
  async #drop(entries: readonly LogEntry[]): Promise<void> {
    try {
      this.#evicted += countLosses(await this.#changeAll('purge', entries, this.#patience));
    } catch {
      // It goes another time.
    }
  }

  async #claim(count: number, filter: LetterFilter, owner: string, leaseMs: number): Promise<readonly Claim[]> {
    await this.#syncToDecide();
    const tried = new Map<string, string>();
    for (;;) {
      const candidates = this.#table
        .claimable(count + tried.size, filter, owner, this.#clock.wallNow())
        .filter(({ letter, version }) => tried.get(letter.id) !== version)
        .slice(0, count);
      if (candidates.length === 0) return [];
      for (const { letter, version } of candidates) tried.set(letter.id, version);
      const claims = await this.#claimThese(candidates, owner, leaseMs);
      // Others were faster: there may be more behind what they took.
      if (claims.length > 0) return claims;
      await this.#syncToDecide();
    }
  }

  async #claimThese(candidates: readonly LogEntry[], owner: string, leaseMs: number): Promise<readonly Claim[]> {
    const claims = inPartitions(candidates).map(async ([partition, entries]) => {
      const token = randomUUID();
      const event = { event: 'claim', nonce: token, owner, leaseMs, letters: versionsOf(entries) } as const;
      const claimed = await this.#outcome(event, partition);
      return claimed.map(letter => ({ letter, token }));
    });
    const order = new Map(candidates.map(({ letter }, i) => [letter.id, i]));
    const placeOf = ({ letter }: Claim): number => order.get(letter.id) ?? 0;
    return (await Promise.all(claims)).flat().sort((a, b) => placeOf(a) - placeOf(b));
  }

  /** What becomes of a letter that is held by a token; undefined when that has nothing to say any more. */
  async #change(change: HeldChange): Promise<DeadLetter | undefined> {
    this.#mustBeOpen();
    if (this.#table.get(change.id)?.token !== change.token) await this.#sync();
    if (this.#view.hasNewer) throw new DeadLetterLogError('newer_version', this.topic);
    const entry = this.#table.get(change.id);
    if (entry === undefined || entry.token === undefined || entry.token !== change.token) return undefined;
    const [changed] = await this.#outcome({ ...change, nonce: randomUUID() }, entry.partition);
    return changed;
  }

  async #changeAll(
    event: 'revive' | 'purge',
    entries: readonly LogEntry[],
    waitMs: number = this.#timeoutMs,
  ): Promise<DeadLetter[]> {
    const all: DeadLetter[] = [];
    for (const [partition, own] of inPartitions(entries)) {
      for (let i = 0; i < own.length; i += AT_ONCE) {
        const letters = versionsOf(own.slice(i, i + AT_ONCE));
        all.push(...(await this.#outcome({ event, nonce: randomUUID(), letters }, partition, waitMs)));
      }
    }
    return all;
  }

  async #outcome(event: LogEvent, partition: number, waitMs: number = this.#timeoutMs): Promise<readonly DeadLetter[]> {
    const appended = await this.#view.append(event, partition);
    return appended.outcome(waitMs);
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type HeldChange = DistributiveOmit<Extract<LogEvent, { token: string }>, 'nonce'>;

const PATIENCE_MS = 1000;
const AT_ONCE = 1000;
const LONGEST_WHY = 200;
function versionsOf(entries: readonly LogEntry[]): LetterVersion[] {
  return entries.map(({ letter, version }): LetterVersion => [letter.id, version]);
}

function countLosses(letters: readonly DeadLetter[]): number {
  return letters.filter(letter => isLoss({ letter, bytes: 0 })).length;
}

function sizeOf(letter: DeadLetter): number {
  return Buffer.byteLength(writeLetter(letter));
}
