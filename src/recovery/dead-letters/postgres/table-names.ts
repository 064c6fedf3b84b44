import { createHash } from 'node:crypto';

/** How a store's tables are written in SQL. The names were checked, and are quoted all the same. */
export interface TableNames {
  /** The bare name of the table of letters, for what is named after it. */
  readonly bare: string;
  readonly schema: string;
  readonly letters: string;
  /** What was added and taken away since the last sum. */
  readonly totals: string;
  /** One row: the version of the tables. */
  readonly version: string;
  /** Two numbers for an advisory lock: of those that migrate, and of those that have to count exactly. */
  readonly migrationLock: string;
  readonly roomLock: string;
}

export function tableNames(schema: string, table: string): TableNames {
  const quoted = (name: string): string => `"${schema}"."${name}"`;
  return {
    bare: table,
    schema,
    letters: quoted(table),
    totals: quoted(`${table}_totals`),
    version: quoted(`${table}_version`),
    migrationLock: lockOf('migration', schema, table),
    roomLock: lockOf('room', schema, table),
  };
}

/** "RTRY", so that the locks of other programs are not met. */
const LOCK_SPACE = 0x52_54_52_59;

function lockOf(...parts: readonly string[]): string {
  return `${LOCK_SPACE}, ${createHash('sha256').update(parts.join('.')).digest().readInt32BE(0)}`;
}
