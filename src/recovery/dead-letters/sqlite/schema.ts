import type { DatabaseSync } from 'node:sqlite';

/** The version of the tables, kept in `user_version`. A change needs a new number and one more entry in {@link STEPS}. */
export const SCHEMA_VERSION = 2;

/** Whether the file is empty, a store of an older version, or one of the present version. Only reads. */
export type FileAge = 'empty' | 'older' | 'present';

/**
 * Looks at what the file is.
 *
 * @throws TypeError when it is another program's database, or was written by a newer version of the library
 */
export function ageOf(db: DatabaseSync): FileAge {
  const version = numberIn(db, 'user_version');
  const application = numberIn(db, 'application_id');
  if (application === 0 && !hasTables(db)) return 'empty';
  if (application !== APPLICATION_ID) {
    throw new TypeError('The file is no store of dead letters: it is a database of something else');
  }
  if (version > SCHEMA_VERSION) {
    throw new TypeError(`The store of dead letters has version ${version}; this library knows ${SCHEMA_VERSION}`);
  }
  return version === SCHEMA_VERSION ? 'present' : 'older';
}

/** Brings the tables to the present version, if nobody has meanwhile. The caller holds the lock for writing. */
export function migrate(db: DatabaseSync): void {
  const version = ageOf(db) === 'empty' ? 0 : numberIn(db, 'user_version');
  for (const step of STEPS.slice(version)) db.exec(step);
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`);
}

/** "RTRY" */
const APPLICATION_ID = 0x52_54_52_59;

/** Each leads from the version of its place to the next. */
const STEPS: readonly string[] = [
  `
  CREATE TABLE letters (
    id TEXT PRIMARY KEY NOT NULL,
    queue TEXT NOT NULL,
    operation TEXT NOT NULL,
    error_type TEXT NOT NULL,
    reason TEXT NOT NULL,
    redrives INTEGER NOT NULL,
    first_failed_at INTEGER NOT NULL,
    last_failed_at INTEGER NOT NULL,
    died_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('dead', 'claimed', 'redriven', 'quarantined')),
    state_at INTEGER,
    why TEXT,
    claim_token TEXT,
    claim_owner TEXT,
    claim_until INTEGER,
    last_owner TEXT,
    bytes INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX letters_by_age ON letters (died_at, id);
  CREATE INDEX letters_by_state ON letters (queue, state, died_at, id, claim_until, bytes);
  CREATE TABLE totals (letters INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
  INSERT INTO totals VALUES (0, 0);
  CREATE TRIGGER letter_added AFTER INSERT ON letters BEGIN
    UPDATE totals SET letters = letters + 1, bytes = bytes + NEW.bytes;
  END;
  CREATE TRIGGER letter_deleted AFTER DELETE ON letters BEGIN
    UPDATE totals SET letters = letters - 1, bytes = bytes - OLD.bytes;
  END;
  CREATE TRIGGER letter_changed AFTER UPDATE OF bytes ON letters BEGIN
    UPDATE totals SET bytes = bytes - OLD.bytes + NEW.bytes;
  END;
  `,
  // Of the last owner alone nobody can tell who was given the letter before. The index: a full store looks for records first.
  `
  ALTER TABLE letters DROP COLUMN last_owner;
  ALTER TABLE letters ADD COLUMN owners TEXT NOT NULL DEFAULT '';
  CREATE INDEX letters_records ON letters (died_at, id) WHERE state = 'redriven';
  `,
];

function numberIn(db: DatabaseSync, pragma: string): number {
  return Number(db.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
}

function hasTables(db: DatabaseSync): boolean {
  return db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined;
}
