import { closeSync, fchmodSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { read } from '../../../engine/read.ts';
import { ageOf, migrate } from './schema.ts';

/** A connection to a file of letters, with the statements that were prepared on it. */
export class Database {
  readonly #file: string;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens the file, or makes it: readable for its owner alone, as is its folder if that has to be made too. */
  constructor(file: string) {
    this.#file = file;
    makePrivate(file);
    const { DatabaseSync } = sqliteModule();
    // The time-out comes with the opening: to change the journal's mode takes a lock that another process may hold.
    this.#db = new DatabaseSync(file, { timeout: OPENING_TIMEOUT_MS });
    try {
      this.#prepare();
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Runs `work` as one transaction: all of it is on the disk when this returns, or nothing is when it throws. */
  transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  /** A prepared statement. The texts are few: values are always bound. */
  statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#statements.size >= MOST_STATEMENTS) this.#statements.clear();
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Gives deleted pages back to the file system, and leaves nothing of them in the log. False when readers prevent that. */
  wipeLog(): boolean {
    this.#db.exec('PRAGMA incremental_vacuum');
    return this.#db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.busy === 0;
  }

  /** The same, at once or not at all. */
  tryToWipeLog(): void {
    try {
      this.wipeLog();
    } catch {
      // Who opens the file next will do it.
    }
  }

  /** Whether there is something in the log. */
  hasLog(): boolean {
    return (statSync(`${this.#file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
  }

  /** How far the log may grow before its pages are moved into the file: on a full disk each new page is one too many. */
  limitLog(pages: 'usual' | 'few'): void {
    this.#db.exec(`PRAGMA wal_autocheckpoint = ${pages === 'few' ? FEW_PAGES : USUAL_PAGES}`);
  }

  /** Closing twice does no harm. */
  close(): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
  }

  #prepare(): void {
    const db = this.#db;
    const age = ageOf(db);
    // Can be chosen only while there are no pages yet, and the journal's mode writes the first one.
    if (age === 'empty') db.exec('PRAGMA auto_vacuum = INCREMENTAL');
    const mode = db.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode;
    if (mode !== 'wal') throw new TypeError(`The file system allows no write-ahead log (it gave ${String(mode)})`);
    db.exec('PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF');
    db.exec(`PRAGMA journal_size_limit = ${LARGEST_LOG}`);
    // A lock for writing may be long in coming where many write, so it is not asked for in vain.
    if (age !== 'present') this.transaction(() => migrate(db));
    db.exec(`PRAGMA busy_timeout = ${BLOCKING_MS}`);
  }

  #rollBack(): void {
    try {
      this.#db.exec('ROLLBACK');
    } catch {
      // A full disk or a broken one has rolled it back already.
    }
  }
}

/** Whether another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === 5;
}

/** Whether the disk is full. The shared memory beside the log tells it as an error of input and output. */
export function isFull(error: unknown): boolean {
  const code = primaryCode(error);
  return code === 13 || (code === 10 && FULL_WHILE_GROWING.includes(read(error, 'errcode')));
}

/** SQLITE_IOERR_WRITE and SQLITE_IOERR_SHMSIZE */
const FULL_WHILE_GROWING: readonly unknown[] = [778, 4874];
/** How long opening waits for a lock; it blocks the thread. */
const OPENING_TIMEOUT_MS = 5000;
/** How long a statement blocks the thread for a lock before the wait goes on in the event loop. */
const BLOCKING_MS = 10;
const USUAL_PAGES = 1000;
const FEW_PAGES = 8;
const MOST_STATEMENTS = 100;
const LARGEST_LOG = 16 * 2 ** 20;

function primaryCode(error: unknown): number {
  const code = read(error, 'errcode');
  return typeof code === 'number' ? code & 0xff : 0;
}

/** Loaded when the first store is made, and not before. */
function sqliteModule(): typeof import('node:sqlite') {
  const sqlite = process.getBuiltinModule('node:sqlite');
  if (sqlite === undefined)
    throw new TypeError('SqliteDeadLetterStore needs node:sqlite, which Node has from 22.15 on');
  return sqlite;
}

function makePrivate(file: string): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // SQLite gives its other files the mode of this one.
  const descriptor = openSync(file, 'a', 0o600);
  fchmodSync(descriptor, 0o600);
  closeSync(descriptor);
  const folderDescriptor = openSync(folder, 'r');
  try {
    fsyncSync(folderDescriptor);
  } catch {
    // Not every file system knows this of a folder.
  } finally {
    closeSync(folderDescriptor);
  }
}
