import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { Clock } from '../../../engine/clock.ts';
import {
  type Check,
  checkClock,
  checkOptions,
  integerFrom,
  milliseconds,
  ofType,
} from '../../../engine/option-checks.ts';
import { systemClock } from '../../../engine/system-clock.ts';
import { checkClaim } from '../claim-checks.ts';
import {
  type Claim,
  type DeadLetterStore,
  DeadLetterStoreFullError,
  type FurtherFailure,
  type LetterPage,
  type PageRequest,
  type PutResult,
  type StoreStats,
} from '../dead-letter-store.ts';
import { isEnough } from '../dropped-at-once.ts';
import type { DeadLetter } from '../letter.ts';
import { checkFilter, type LetterFilter } from '../letter-filter.ts';
import { COLUMNS, letterOf, type Row, valuesOf } from '../letter-row.ts';
import { isRemains } from '../letter-text.ts';
import { byDeath, placeAfter, readPage } from '../page.ts';
import { OWNERS_LENGTH, ownerMark } from '../past-owners.ts';
import { type Retention, readRetention } from '../retention.ts';
import { afterFailure, failedLetter, quarantinedLetter, redrivenLetter, revivedLetter } from '../transitions.ts';
import { Ballast, type BallastState } from './ballast.ts';
import { Database, isBusy, isFull } from './database.ts';
import { conditionFor, IS_CLAIMED } from './filter-sql.ts';
import { LogWiper } from './log-wiper.ts';
import { queueStats } from './queue-stats.ts';

/** The options of a {@link SqliteDeadLetterStore}. */
export interface SqliteDeadLetterStoreOptions {
  /**
   * The file. It is made if it is not there, readable for its owner alone (0600), and so is its folder (0700). A local
   * disk: the write-ahead log works on no network file system.
   */
  readonly file: string;
  readonly retention?: Retention;
  /** How long a write waits while other processes write, in milliseconds. It does not block. Default 5000. */
  readonly busyTimeoutMs?: number;
  /**
   * Space that is kept in a file beside the store, and let go of when the disk is full, so that the letters that are
   * written then still get in. Default 4 MiB; 0 for none. Range 0 to 1 GiB.
   */
  readonly ballastBytes?: number;
  readonly clock?: Clock;
}

/**
 * Dead letters in a file of SQLite, by Node's own `node:sqlite`: no server, no package. A letter that was accepted is on
 * the disk (write-ahead log, `synchronous = FULL`: one fsync each), and survives the process being killed and the power
 * failing. Several processes may open the same file.
 *
 * Each method works synchronously for a moment, about as long as one fsync takes, or a few where a letter makes hundreds of others
 * go; only waiting for others leaves the thread free. What is deleted, as the payload of a letter whose redrive succeeded, is
 * overwritten in the file, and gone from its log about a second later.
 *
 * Leases and ages go by the wall clock of whoever asks: when that jumps, leases end early or late, which may send a letter
 * twice or delay it, and a jump beyond `maxAgeMs` ends the letters.
 *
 * @example
 * ```ts
 * await using store = new SqliteDeadLetterStore({ file: '/var/lib/shop/dead-letters.db' });
 * const queue = new DeadLetterQueue({ name: 'payments', store });
 * ```
 */
export class SqliteDeadLetterStore implements DeadLetterStore {
  /** The absolute path. */
  readonly file: string;
  readonly #clock: Clock;
  readonly #retention: Required<Retention>;
  readonly #busyTimeoutMs: number;
  readonly #db: Database;
  readonly #ballast: Ballast;
  readonly #wiper: LogWiper;
  #isClosed = false;

  /**
   * @throws TypeError or RangeError, naming the option, the value and what is allowed; TypeError when the file is not a
   * store that this version knows; an error of Node or SQLite when it cannot be opened
   */
  constructor(options: SqliteDeadLetterStoreOptions) {
    checkOptions('the options of a SqliteDeadLetterStore', options, CHECKS);
    CHECKS.file('file', options.file);
    this.file = resolve(options.file);
    this.#clock = options.clock ?? systemClock;
    this.#retention = readRetention(options.retention);
    this.#busyTimeoutMs = options.busyTimeoutMs ?? 5000;
    this.#db = new Database(this.file);
    this.#ballast = new Ballast(`${this.file}.ballast`, options.ballastBytes ?? 4 * 2 ** 20, this.#clock);
    this.#wiper = new LogWiper(() => this.#patiently(() => this.#db.wipeLog()), this.#clock);
    // A process that was killed may have left something there that it had deleted.
    if (this.#db.hasLog()) this.#wiper.soon();
  }

  /** Whether the space for a full disk is still kept. */
  get ballast(): BallastState {
    return this.#ballast.state;
  }

  async put(letter: DeadLetter): Promise<PutResult> {
    this.#restoreBallast();
    const kept = this.#ballast.state;
    const result = await this.#write(() => this.#putNow(letter));
    if (result.evicted > 0) this.#wiper.soon();
    return kept === 'kept' && this.#ballast.state === 'spent' ? { ...result, warning: 'disk_full' } : result;
  }

  async get(id: string): Promise<DeadLetter | undefined> {
    const row = await this.#ask(() => this.#row(id));
    return row === undefined ? undefined : letterOf(row, this.#now());
  }

  async list(filter: LetterFilter = {}, page: PageRequest = {}): Promise<LetterPage> {
    const { limit, after } = readPage(page);
    checkFilter(filter);
    const now = this.#now();
    const { sql, values } = conditionFor(filter, now);
    const [from, place] = after === undefined ? ['', []] : [' AND (died_at, id) > (?, ?)', [after.diedAt, after.id]];
    const query = `SELECT * FROM letters WHERE ${sql}${from} ORDER BY died_at, id LIMIT ?`;
    const rows = await this.#ask(() => this.#db.statement(query).all(...values, ...place, limit));
    const letters = rows.map(row => letterOf(row as unknown as Row, now));
    return { letters, next: placeAfter(letters, limit) };
  }

  async claim(count: number, filter: LetterFilter, owner: string, leaseMs: number): Promise<readonly Claim[]> {
    checkClaim(count, owner, leaseMs);
    checkFilter(filter);
    const [token, mark] = [randomUUID(), ownerMark(owner)];
    const rows = await this.#write(() => {
      const now = this.#now();
      const { sql, values } = conditionFor(filter, now);
      // Each half follows the index by queue and state, so that records of redrives are not even passed.
      const half = (state: string): string =>
        `SELECT * FROM (SELECT id, died_at FROM letters WHERE ${sql} AND ${state} AND NOT instr(owners, ?)
          ORDER BY died_at, id LIMIT ?)`;
      const found = `${half("state = 'dead'")} UNION ALL ${half("state = 'claimed' AND claim_until <= ?")}`;
      const update = `UPDATE letters SET state = 'claimed', claim_token = ?, claim_owner = ?, claim_until = ?,
          owners = substr(owners || ?, -${OWNERS_LENGTH})
        WHERE id IN (SELECT id FROM (${found}) ORDER BY died_at, id LIMIT ?) RETURNING *`;
      const claim = [token, owner, Math.ceil(now + leaseMs), mark];
      const bound = [...values, mark, count, ...values, now, mark, count, count];
      return this.#db.statement(update).all(...claim, ...bound);
    });
    const now = this.#now();
    const letters = rows.map(row => letterOf(row as unknown as Row, now)).sort(byDeath);
    return letters.map(letter => ({ letter, token }));
  }

  async renew(id: string, token: string, leaseMs: number): Promise<boolean> {
    milliseconds(1)('leaseMs', leaseMs);
    return this.#write(() => {
      const sql = `UPDATE letters SET claim_until = ? WHERE id = ? AND ${IS_HELD}`;
      return this.#db.statement(sql).run(Math.ceil(this.#now() + leaseMs), id, token).changes === 1;
    });
  }

  async release(id: string, token: string): Promise<boolean> {
    return this.#write(() => {
      const sql = `UPDATE letters SET state = 'dead', ${NO_CLAIM} WHERE id = ? AND ${IS_HELD}`;
      return this.#db.statement(sql).run(id, token).changes === 1;
    });
  }

  async complete(id: string, token: string): Promise<boolean> {
    const changed = await this.#change(id, token, letter => redrivenLetter(letter, this.#now()));
    if (changed !== undefined) this.#wiper.soon();
    return changed !== undefined;
  }

  async failAgain(id: string, token: string, failure: FurtherFailure): Promise<'dead' | 'quarantined' | undefined> {
    return afterFailure(await this.#change(id, token, letter => failedLetter(letter, failure)));
  }

  async quarantine(id: string, token: string, why: string): Promise<boolean> {
    const changed = await this.#change(id, token, letter => quarantinedLetter(letter, this.#now(), why));
    return changed !== undefined;
  }

  async revive(filter: LetterFilter): Promise<number> {
    checkFilter(filter);
    return this.#write(() => {
      const now = this.#now();
      const { sql, values } = conditionFor(filter, now);
      const rows = this.#db.statement(`SELECT * FROM letters WHERE ${sql} AND state = 'quarantined'`).all(...values);
      for (const row of rows) {
        this.#update(revivedLetter(letterOf(row as unknown as Row, now)));
        this.#db.statement("UPDATE letters SET owners = '' WHERE id = ?").run(row.id as string);
      }
      return rows.length;
    });
  }

  async purge(filter: LetterFilter): Promise<number> {
    checkFilter(filter);
    const now = this.#now();
    const { sql, values } = conditionFor(filter, now);
    const some = `SELECT id FROM letters WHERE ${sql} AND NOT ${IS_CLAIMED} LIMIT ${PURGED_AT_ONCE}`;
    let [count, deleted] = [0, 0];
    do {
      // The event loop gets its turn between one lot and the next.
      if (count > 0) await this.#clock.sleep(1, undefined, 'ref');
      deleted = await this.#write(() => {
        const purge = this.#db.statement(`DELETE FROM letters WHERE id IN (${some})`);
        return Number(purge.run(...values, this.#now()).changes);
      });
      count += deleted;
    } while (deleted === PURGED_AT_ONCE);
    await this.#wiper.now();
    return count;
  }

  async expire(): Promise<number> {
    let [evicted, deleted] = [0, 0];
    do {
      const rows = await this.#write(() => this.#expireSome());
      deleted = rows.length;
      evicted += rows.filter(isLoss).length;
    } while (deleted === EXPIRED_AT_ONCE);
    await this.#wiper.now();
    return evicted;
  }

  async stats(): Promise<StoreStats> {
    return this.#ask(() => ({ queues: queueStats(this.#db, this.#now()), ...this.#totals() }));
  }

  async close(): Promise<void> {
    const isClosed = this.#isClosed;
    this.#isClosed = true;
    if (this.#wiper.end() && !isClosed) this.#db.tryToWipeLog();
    this.#db.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #now(): number {
    return Math.floor(this.#clock.wallNow());
  }

  #row(id: string): Row | undefined {
    return this.#db.statement('SELECT * FROM letters WHERE id = ?').get(id) as unknown as Row | undefined;
  }

  #putNow(letter: DeadLetter): PutResult {
    const expired = this.#expireSome().filter(isLoss).length;
    if (this.#row(letter.id) !== undefined) return { outcome: 'present', evicted: expired };
    const values = valuesOf(letter);
    const evicted = this.#makeRoom(Number(values[BYTES]));
    const insert = `INSERT INTO letters (id, ${COLUMNS.join(', ')}) VALUES (?${', ?'.repeat(COLUMNS.length)})`;
    this.#db.statement(insert).run(letter.id, ...values);
    return { outcome: 'stored', evicted: expired + evicted };
  }

  /** Deletes records first, and then letters where that is allowed; throws when it does not suffice. */
  #makeRoom(bytes: number): number {
    const { maxCount, maxBytes, whenFull } = this.#retention;
    const before = this.#totals();
    const dropped = { count: 0, bytes: 0 };
    const limit = (): 'maxCount' | 'maxBytes' | undefined => {
      if (isEnough(dropped, bytes, this.#retention)) return undefined;
      if (before.letters - dropped.count >= maxCount) return 'maxCount';
      return before.bytes - dropped.bytes + bytes > maxBytes ? 'maxBytes' : undefined;
    };
    const drop = (which: string, ...values: readonly number[]): number => {
      const oldest = this.#db.statement(`SELECT rowid, bytes FROM letters WHERE ${which} ORDER BY died_at, id`);
      const going: number[] = [];
      for (const row of oldest.iterate(...values)) {
        if (limit() === undefined) break;
        going.push(Number(row.rowid));
        dropped.count++;
        dropped.bytes += Number(row.bytes);
      }
      for (const rowid of going) this.#db.statement('DELETE FROM letters WHERE rowid = ?').run(rowid);
      return going.length;
    };
    if (limit() === undefined) return 0;
    drop("state = 'redriven'");
    const mayDrop = whenFull === 'drop-oldest' && bytes <= maxBytes && limit() !== undefined;
    const evicted = mayDrop ? drop(`NOT ${IS_CLAIMED}`, this.#now()) : 0;
    const full = limit();
    if (full !== undefined) throw new DeadLetterStoreFullError(full);
    return evicted;
  }

  #expireSome(): readonly Readonly<Record<string, unknown>>[] {
    const now = this.#now();
    const old = `SELECT id FROM letters WHERE died_at < ? AND NOT ${IS_CLAIMED} ORDER BY died_at LIMIT ${EXPIRED_AT_ONCE}`;
    return this.#db
      .statement(`DELETE FROM letters WHERE id IN (${old}) RETURNING state`)
      .all(Math.floor(now - this.#retention.maxAgeMs), now);
  }

  #totals(): { readonly letters: number; readonly bytes: number } {
    const row = this.#db.statement('SELECT letters, bytes FROM totals').get();
    return { letters: Number(row?.letters), bytes: Number(row?.bytes) };
  }

  /** Writes what becomes of a letter, if the token still has it. */
  #change(id: string, token: string, change: (letter: DeadLetter) => DeadLetter): Promise<DeadLetter | undefined> {
    return this.#write(() => {
      const row = this.#row(id);
      if (row === undefined || row.state !== 'claimed' || row.claim_token !== token) return undefined;
      const changed = change(letterOf(row, this.#now()));
      this.#update(changed);
      return changed;
    });
  }

  #update(letter: DeadLetter): void {
    // What could not be read keeps its text.
    const columns = isRemains(letter) ? COLUMNS.slice(0, BYTES) : COLUMNS;
    const set = `UPDATE letters SET ${columns.map(column => `${column} = ?`).join(', ')}, ${NO_CLAIM} WHERE id = ?`;
    this.#db.statement(set).run(...valuesOf(letter).slice(0, columns.length), letter.id);
  }

  #ask<T>(work: () => T): Promise<T> {
    return this.#patiently(work);
  }

  #restoreBallast(): void {
    if (this.#ballast.restore()) this.#db.limitLog('usual');
  }

  /** One transaction. On a full disk it lets go of the ballast and tries once more. */
  async #write<T>(work: () => T): Promise<T> {
    try {
      return await this.#patiently(() => this.#db.transaction(work));
    } catch (error) {
      if (!isFull(error)) throw error;
      // Another process may have let go of it a moment ago: that is as good a reason to try again.
      this.#ballast.release();
      this.#db.limitLog('few');
      return this.#patiently(() => this.#db.transaction(work));
    }
  }

  /** Tries again while others hold the lock. */
  async #patiently<T>(work: () => T): Promise<T> {
    const end = this.#clock.now() + this.#busyTimeoutMs;
    for (;;) {
      if (this.#isClosed) throw new TypeError('The store of dead letters is closed');
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || this.#clock.now() >= end) throw error;
      }
      await this.#clock.sleep(1 + this.#clock.random() * LONGEST_PAUSE_MS, undefined, 'ref');
    }
  }
}

const IS_HELD = "state = 'claimed' AND claim_token = ?";
const NO_CLAIM = 'claim_token = NULL, claim_owner = NULL, claim_until = NULL';
const BYTES = COLUMNS.indexOf('bytes');
const EXPIRED_AT_ONCE = 200;
const PURGED_AT_ONCE = 1000;
const LONGEST_PAUSE_MS = 15;

function isLoss({ state }: Readonly<Record<string, unknown>>): boolean {
  return state !== 'redriven';
}

const CHECKS: Readonly<Record<keyof SqliteDeadLetterStoreOptions, Check>> = {
  file: ofType(
    'the path of a file',
    v => typeof v === 'string',
    v => (v as string) !== '' && (v as string).length <= 4096 && !(v as string).includes('\0'),
  ),
  retention: () => undefined,
  busyTimeoutMs: milliseconds(0),
  ballastBytes: integerFrom(0, 2 ** 30),
  clock: checkClock,
};
