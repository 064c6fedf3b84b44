import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../engine/clock.ts';
import { milliseconds } from '../../../engine/option-checks.ts';
import { systemClock } from '../../../engine/system-clock.ts';
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
import { byDeath, placeAfter, readPage } from '../page.ts';
import { OWNERS_LENGTH, ownerMark } from '../past-owners.ts';
import { queueStatsOf } from '../queue-stats.ts';
import { type Retention, readRetention } from '../retention.ts';
import { afterFailure, failedLetter, quarantinedLetter, redrivenLetter, revivedLetter } from '../transitions.ts';
import type { PostgresQueryable } from './clients.ts';
import { Connections } from './connections.ts';
import { warnOfLosses } from './durability.ts';
import { EXPIRED_AT_ONCE, expireSome, isScattered, lookAtRoom, makeRoom, refuseWhereFull, sumUp } from './room.ts';
import { readCount, readRow, writeRow } from './rows.ts';
import { ageOf, migrate } from './schema.ts';
import { IS_CLAIMED, NOW, Statement } from './statement.ts';
import {
  checkQueryable,
  checkStoreOptions,
  type PostgresDeadLetterStoreOptions,
  STORE_DEFAULTS,
} from './store-options.ts';
import { type TableNames, tableNames } from './table-names.ts';
import { bytesIn, insertLetter, NO_CLAIM, updateLetter } from './write-letter.ts';

/**
 * Dead letters in a table of PostgreSQL (12 or newer), by a pool of pg that you bring. Leases and ages go by the clock of
 * the server, so processes whose clocks differ agree on them. A letter that was accepted is on the server's disk, also
 * where `synchronous_commit` is off; a warning (`RETRYSCOPE_NOT_DURABLE`) tells what else could lose it.
 *
 * The tables are made when they are first needed; {@link migrate} does it earlier, with the rights that it takes. After that
 * SELECT, INSERT, UPDATE and DELETE suffice.
 *
 * @example
 * ```ts
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL });
 * pool.on('error', () => undefined); // or log it: without a listener a lost connection ends the process
 * const store = new PostgresDeadLetterStore({ pool });
 * const queue = new DeadLetterQueue({ name: 'payments', store });
 * ```
 */
export class PostgresDeadLetterStore implements DeadLetterStore {
  readonly #names: TableNames;
  readonly #retention: Required<Retention>;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #connections: Connections;
  #ready: Promise<void> | undefined = undefined;
  #isReady = false;
  #isClosed = false;

  /** Connects to nothing yet. @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: PostgresDeadLetterStoreOptions) {
    checkStoreOptions(options);
    this.#names = tableNames(options.schema ?? STORE_DEFAULTS.schema, options.table ?? STORE_DEFAULTS.table);
    this.#retention = readRetention(options.retention);
    this.#timeoutMs = options.timeoutMs ?? STORE_DEFAULTS.timeoutMs;
    this.#clock = options.clock ?? systemClock;
    this.#connections = new Connections(options.pool, this.#clock);
  }

  /**
   * Makes the tables, or brings them to the present version; does nothing where they are. Any number of processes may do so
   * at the same time. Every method but `enqueue` does it by itself when it is the first.
   *
   * @throws TypeError when the table is another program's or of a newer version, the server older than 12, or the
   * database not in UTF-8; what pg throws
   */
  async migrate(): Promise<void> {
    this.#mustBeOpen();
    this.#ready ??= this.#prepare();
    try {
      await this.#ready;
    } catch (error) {
      this.#ready = undefined;
      throw error;
    }
  }

  async put(letter: DeadLetter): Promise<PutResult> {
    await this.migrate();
    const values = writeRow(letter);
    const bytes = bytesIn(values);
    const names = this.#names;
    // Those that have to count exactly wait until nobody puts letters, and let nobody put any until they are done.
    const first = await this.#transaction(async client => {
      const { lost: evicted } = await expireSome(client, names, this.#retention.maxAgeMs);
      const room = await lookAtRoom(client, names, letter.id, bytes, this.#retention);
      if (room.isPresent) return { outcome: 'present', evicted } as const;
      if (!room.isWide) return { outcome: 'tight', evicted } as const;
      const outcome = await insertLetter(client, names, letter.id, values);
      if (isScattered(room)) await sumUp(client, names);
      return { outcome, evicted };
    }, `SELECT pg_advisory_xact_lock_shared(${names.roomLock})`);
    if (first.outcome !== 'tight') return { outcome: first.outcome, evicted: first.evicted };
    return this.#transaction(async client => {
      const room = await lookAtRoom(client, names, letter.id, bytes, this.#retention);
      if (room.isPresent) return { outcome: 'present', evicted: first.evicted };
      const evicted = await makeRoom(client, names, room, bytes, this.#retention);
      const outcome = await insertLetter(client, names, letter.id, values);
      await sumUp(client, names);
      return { outcome, evicted: first.evicted + evicted };
    }, `SELECT pg_advisory_xact_lock(${names.roomLock})`);
  }

  /**
   * Keeps a letter inside a transaction of yours: it is there if the transaction commits, and only then. `queue.letterFor`
   * makes a letter of a call. Nothing else is done on the connection than to read and to insert, so that it neither waits
   * for others nor makes them wait; that is why it makes no room. With `whenFull: 'refuse-new'` it throws when the store is
   * full, and leaves your transaction usable; with `'drop-oldest'` the next `put`s make up for it, some hundred letters each.
   * What transactions that have not committed keep is not counted yet.
   *
   * The queue does not count it as stored: only your COMMIT decides. The tables must be there: say {@link migrate} when the
   * program starts.
   *
   * @param client the connection on which you have said BEGIN, as `retryTransaction` gives it to its function
   * @throws DeadLetterStoreFullError when there is no room; TypeError when the tables are not there; what pg throws
   *
   * @example
   * ```ts
   * await retryTransaction(pool, async client => {
   *   await client.query("UPDATE orders SET state = 'unpaid' WHERE id = $1", [order.id]);
   *   await store.enqueue(client, await queue.letterFor({ operation: 'charge_card', args: [order], error }));
   * });
   * ```
   */
  async enqueue(client: PostgresQueryable, letter: DeadLetter): Promise<PutResult> {
    checkQueryable('client', client);
    this.#mustBeOpen();
    // Looked up on the same connection: a second one might have to wait for this very transaction to give its own back.
    if (!this.#isReady && (await ageOf(client, this.#names)) !== 'present') {
      throw new TypeError('The tables of dead letters are not there yet: call migrate() when the program starts');
    }
    const values = writeRow(letter);
    const bytes = bytesIn(values);
    const room = await lookAtRoom(client, this.#names, letter.id, bytes, this.#retention);
    if (room.isPresent) return { outcome: 'present', evicted: 0 };
    await refuseWhereFull(client, this.#names, room, bytes, this.#retention);
    return { outcome: await insertLetter(client, this.#names, letter.id, values), evicted: 0 };
  }

  async get(id: string): Promise<DeadLetter | undefined> {
    const { rows } = await this.#ask(statement => `${this.#select} WHERE id = ${statement.bind(id)}`);
    return rows[0] === undefined ? undefined : readRow(rows[0]);
  }

  async list(filter: LetterFilter = {}, page: PageRequest = {}): Promise<LetterPage> {
    const { limit, after } = readPage(page);
    checkFilter(filter);
    const { rows } = await this.#ask(statement => {
      const { bind } = statement;
      const from = after === undefined ? '' : ` AND (died_at, id) > (${bind(after.diedAt)}, ${bind(after.id)})`;
      return `${this.#select} WHERE ${statement.condition(filter)}${from} ORDER BY died_at, id LIMIT ${bind(limit)}`;
    });
    const letters = rows.map(readRow);
    return { letters, next: placeAfter(letters, limit) };
  }

  async claim(count: number, filter: LetterFilter, owner: string, leaseMs: number): Promise<readonly Claim[]> {
    checkClaim(count, owner, leaseMs);
    checkFilter(filter);
    const token = randomUUID();
    const rows = await this.#change(statement => {
      const { bind } = statement;
      const mark = `${bind(ownerMark(owner))}::text`;
      return `WITH picked AS MATERIALIZED (
          SELECT id FROM ${this.#names.letters} WHERE ${statement.condition(filter)}
            AND state IN ('dead', 'claimed') AND NOT ${IS_CLAIMED} AND strpos(owners, ${mark}) = 0
            ORDER BY died_at, id LIMIT ${bind(count)} FOR UPDATE SKIP LOCKED
        )
        UPDATE ${this.#names.letters} AS letter SET state = 'claimed', claim_token = ${bind(token)}, claim_owner = ${bind(owner)},
          claim_until = ${NOW} + ${bind(Math.ceil(leaseMs))}, owners = right(owners || ${mark}, ${OWNERS_LENGTH})
          FROM picked WHERE letter.id = picked.id RETURNING letter.*, ${NOW} AS now_ms`;
    });
    return rows
      .map(readRow)
      .sort(byDeath)
      .map(letter => ({ letter, token }));
  }

  async renew(id: string, token: string, leaseMs: number): Promise<boolean> {
    milliseconds(1)('leaseMs', leaseMs);
    return this.#changeHeld(id, token, ({ bind }) => `claim_until = ${NOW} + ${bind(Math.ceil(leaseMs))}`);
  }

  async release(id: string, token: string): Promise<boolean> {
    return this.#changeHeld(id, token, () => `state = 'dead', ${NO_CLAIM}`);
  }

  async complete(id: string, token: string): Promise<boolean> {
    return (await this.#transform(id, token, redrivenLetter)) !== undefined;
  }

  async failAgain(id: string, token: string, failure: FurtherFailure): Promise<'dead' | 'quarantined' | undefined> {
    return afterFailure(await this.#transform(id, token, letter => failedLetter(letter, failure)));
  }

  async quarantine(id: string, token: string, why: string): Promise<boolean> {
    return (await this.#transform(id, token, (letter, now) => quarantinedLetter(letter, now, why))) !== undefined;
  }

  async revive(filter: LetterFilter): Promise<number> {
    checkFilter(filter);
    return this.#inLots(REVIVED_AT_ONCE, async client => {
      const statement = new Statement();
      const { rows } = await client.query(
        `${this.#select} WHERE ${statement.condition(filter)} AND state = 'quarantined'
          LIMIT ${REVIVED_AT_ONCE} FOR UPDATE SKIP LOCKED`,
        statement.values,
      );
      for (const row of rows) await updateLetter(client, this.#names, revivedLetter(readRow(row)), 'forget the owners');
      return rows.length;
    });
  }

  async purge(filter: LetterFilter): Promise<number> {
    checkFilter(filter);
    const { letters } = this.#names;
    return this.#inLots(PURGED_AT_ONCE, async client => {
      const statement = new Statement();
      const { rowCount } = await client.query(
        `WITH picked AS MATERIALIZED (
          SELECT id FROM ${letters} WHERE ${statement.condition(filter)} AND NOT ${IS_CLAIMED}
            LIMIT ${PURGED_AT_ONCE} FOR UPDATE SKIP LOCKED
        ) DELETE FROM ${letters} AS letter USING picked WHERE letter.id = picked.id`,
        statement.values,
      );
      return rowCount ?? 0;
    });
  }

  async expire(): Promise<number> {
    let evicted = 0;
    await this.#inLots(EXPIRED_AT_ONCE, async client => {
      const { deleted, lost } = await expireSome(client, this.#names, this.#retention.maxAgeMs);
      evicted += lost;
      return deleted;
    });
    return evicted;
  }

  async stats(): Promise<StoreStats> {
    const { rows } = await this.#ask(
      () => `SELECT queue, state, count(*) AS letters, sum(bytes) AS bytes, min(died_at) AS oldest FROM (
        SELECT queue, CASE WHEN state = 'claimed' AND claim_until <= ${NOW} THEN 'dead' ELSE state END AS state, bytes, died_at
          FROM ${this.#names.letters}
      ) AS letter GROUP BY queue, state ORDER BY queue`,
    );
    const counts = rows.map(readCount);
    const sum = (field: 'letters' | 'bytes'): number => counts.reduce((total, count) => total + count[field], 0);
    return { queues: queueStatsOf(counts), letters: sum('letters'), bytes: sum('bytes') };
  }

  /** From now on every method rejects. The pool stays open: it is yours. */
  async close(): Promise<void> {
    this.#isClosed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #select(): string {
    return `SELECT *, ${NOW} AS now_ms FROM ${this.#names.letters}`;
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new TypeError('The store of dead letters is closed');
  }

  async #prepare(): Promise<void> {
    const names = this.#names;
    const age = await this.#connections.ask(this.#timeoutMs, client => ageOf(client, names));
    if (age !== 'present') {
      const lock = `SELECT pg_advisory_xact_lock(${names.migrationLock})`;
      await this.#connections.transaction(MIGRATION_LIMIT_MS, client => migrate(client, names), lock);
    }
    await this.#connections.ask(this.#timeoutMs, client => warnOfLosses(client, names));
    this.#isReady = true;
  }

  #transaction<T>(work: (client: PostgresQueryable) => Promise<T>, lock?: string): Promise<T> {
    return this.#connections.transaction(this.#timeoutMs, work, lock);
  }

  /** One statement that only reads. */
  async #ask(write: (statement: Statement) => string) {
    await this.migrate();
    const statement = new Statement();
    const text = write(statement);
    return this.#connections.ask(this.#timeoutMs, async client => client.query(text, statement.values));
  }

  /** One statement in a transaction of its own; gives the rows. */
  async #change(write: (statement: Statement) => string) {
    await this.migrate();
    const statement = new Statement();
    const text = write(statement);
    return this.#transaction(async client => (await client.query(text, statement.values)).rows);
  }

  async #changeHeld(id: string, token: string, assignments: (statement: Statement) => string): Promise<boolean> {
    const rows = await this.#change(statement => {
      const { bind } = statement;
      const set = assignments(statement);
      return `UPDATE ${this.#names.letters} SET ${set} WHERE id = ${bind(id)} AND ${isHeld(statement, token)} RETURNING id`;
    });
    return rows.length === 1;
  }

  /** Writes what becomes of a letter, if the token still has it. */
  async #transform(
    id: string,
    token: string,
    change: (letter: DeadLetter, now: number) => DeadLetter,
  ): Promise<DeadLetter | undefined> {
    await this.migrate();
    return this.#transaction(async client => {
      const statement = new Statement();
      const text = `${this.#select} WHERE id = ${statement.bind(id)} AND ${isHeld(statement, token)} FOR UPDATE`;
      const [row] = (await client.query(text, statement.values)).rows;
      if (row === undefined) return undefined;
      const changed = change(readRow(row), Number(row.now_ms));
      await updateLetter(client, this.#names, changed);
      return changed;
    });
  }

  /** Repeats a transaction until it no longer changes a whole lot. Gives how many it has changed. */
  async #inLots(lot: number, change: (client: PostgresQueryable) => Promise<number>): Promise<number> {
    await this.migrate();
    let [sum, changed] = [0, 0];
    do {
      changed = await this.#transaction(change);
      sum += changed;
    } while (changed === lot);
    return sum;
  }
}

const REVIVED_AT_ONCE = 200;
const PURGED_AT_ONCE = 1000;
/** To make an index over many letters takes a while. */
const MIGRATION_LIMIT_MS = 600_000;

function isHeld({ bind }: Statement, token: string): string {
  return `state = 'claimed' AND claim_token = ${bind(token)}`;
}
