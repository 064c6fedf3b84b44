import { DeadLetterStoreFullError } from '../dead-letter-store.ts';
import { isEnough } from '../dropped-at-once.ts';
import type { Retention } from '../retention.ts';
import type { PostgresQueryable } from './clients.ts';
import { IS_CLAIMED, NOW } from './statement.ts';
import type { TableNames } from './table-names.ts';

/** What one look at the store says to somebody who wants to put a letter. */
export interface Room {
  readonly letters: number;
  readonly bytes: number;
  /** In how many parts the totals are kept. */
  readonly parts: number;
  /** A letter of this id is there. */
  readonly isPresent: boolean;
  /**
   * That is so much below the limits that all the connections which the server allows could put a letter at the same time
   * as this one, and the limits would still hold.
   */
  readonly isWide: boolean;
}

/** Looks at the totals, as far as transactions have committed. */
export async function lookAtRoom(
  client: PostgresQueryable,
  { letters, totals }: TableNames,
  id: string,
  bytes: number,
  retention: Required<Retention>,
): Promise<Room> {
  const { rows } = await client.query(
    `SELECT coalesce(sum(letters), 0) AS letters, coalesce(sum(bytes), 0) AS bytes, count(*) AS parts,
      EXISTS (SELECT FROM ${letters} WHERE id = $1) AS present, current_setting('max_connections') AS connections
      FROM ${totals}`,
    [id],
  );
  const [row] = rows;
  const found = { letters: Number(row?.letters), bytes: Number(row?.bytes), parts: Number(row?.parts) };
  const connections = Number(row?.connections);
  const isWide =
    bytes <= USUAL_BYTES &&
    found.letters + connections <= retention.maxCount &&
    found.bytes + connections * USUAL_BYTES <= retention.maxBytes;
  return { ...found, isPresent: row?.present === true, isWide };
}

/**
 * Only looks. Records of redrives do not count: they would make room for a letter that is put.
 *
 * @throws DeadLetterStoreFullError where new letters are refused and this one would break a limit
 */
export async function refuseWhereFull(
  client: PostgresQueryable,
  { letters }: TableNames,
  found: Pick<Room, 'letters' | 'bytes'>,
  bytes: number,
  retention: Required<Retention>,
): Promise<void> {
  if (retention.whenFull !== 'refuse-new' || limitBroken(found, bytes, retention) === undefined) return;
  const { rows } = await client.query(
    `SELECT count(*) AS letters, coalesce(sum(bytes), 0) AS bytes FROM ${letters} WHERE state <> 'redriven'`,
  );
  const held = { letters: Number(rows[0]?.letters), bytes: Number(rows[0]?.bytes) };
  const full = limitBroken(held, bytes, retention);
  if (full !== undefined) throw new DeadLetterStoreFullError(full);
}

/** Which limit a letter of this size would break. */
function limitBroken(
  found: Pick<Room, 'letters' | 'bytes'>,
  bytes: number,
  { maxCount, maxBytes }: Required<Retention>,
): 'maxCount' | 'maxBytes' | undefined {
  if (found.letters >= maxCount) return 'maxCount';
  return found.bytes + bytes > maxBytes ? 'maxBytes' : undefined;
}

/**
 * Deletes records of redrives, and then letters where that is allowed, until one of this size fits or enough has gone for it.
 * Gives how many letters went. Nobody else may put letters meanwhile.
 *
 * @throws DeadLetterStoreFullError when it does not suffice
 */
export async function makeRoom(
  client: PostgresQueryable,
  { letters }: TableNames,
  found: Pick<Room, 'letters' | 'bytes'>,
  bytes: number,
  retention: Required<Retention>,
): Promise<number> {
  const { maxCount, maxBytes, whenFull } = retention;
  const dropped = { count: 0, bytes: 0 };
  const left = (): Pick<Room, 'letters' | 'bytes'> => ({
    letters: found.letters - dropped.count,
    bytes: found.bytes - dropped.bytes,
  });
  let [full, evicted] = [limitBroken(found, bytes, retention), 0];
  const kinds = [
    "state = 'redriven'",
    ...(whenFull === 'drop-oldest' && bytes <= maxBytes ? [`NOT ${IS_CLAIMED}`] : []),
  ];
  for (const which of kinds) {
    for (let lot = FIRST_LOT; full !== undefined; lot = Math.min(2 * lot, LARGEST_LOT)) {
      const values = [left().letters - maxCount + 1, left().bytes + bytes - maxBytes, lot];
      const { rows } = await client.query(dropOldest(letters, which), values);
      if (rows.length === 0) break;
      dropped.count += rows.length;
      dropped.bytes += rows.reduce((sum, row) => sum + Number(row.bytes), 0);
      evicted += rows.filter(isLoss).length;
      full = isEnough(dropped, bytes, retention) ? undefined : limitBroken(left(), bytes, retention);
    }
  }
  if (full !== undefined) throw new DeadLetterStoreFullError(full);
  return evicted;
}

/** Deletes some of what is older than `maxAgeMs`: gives how many in all, and how many of them were no records of redrives. */
export async function expireSome(
  client: PostgresQueryable,
  { letters }: TableNames,
  maxAgeMs: number,
): Promise<{ readonly deleted: number; readonly lost: number }> {
  const old = `SELECT id FROM ${letters} WHERE died_at < ${NOW} - $1::bigint AND NOT ${IS_CLAIMED}
    ORDER BY died_at LIMIT ${EXPIRED_AT_ONCE} FOR UPDATE SKIP LOCKED`;
  const { rows } = await client.query(
    `WITH old AS MATERIALIZED (${old}) DELETE FROM ${letters} AS letter USING old WHERE letter.id = old.id RETURNING letter.state`,
    [Math.ceil(maxAgeMs)],
  );
  return { deleted: rows.length, lost: rows.filter(isLoss).length };
}

/** Adds up the parts of the totals, but for those that somebody else is adding up. */
export async function sumUp(client: PostgresQueryable, { totals }: TableNames): Promise<void> {
  await client.query(
    `WITH parts AS (DELETE FROM ${totals} WHERE ctid = ANY (ARRAY (SELECT ctid FROM ${totals} FOR UPDATE SKIP LOCKED))
        RETURNING letters, bytes)
      INSERT INTO ${totals} SELECT sum(letters), sum(bytes) FROM parts HAVING count(*) > 0`,
  );
}

/** What `expireSome` deletes when it comes to its end. */
export const EXPIRED_AT_ONCE = 200;
/** Whether the parts of the totals are so many that it is time to sum up. */
export function isScattered({ parts }: Room): boolean {
  return parts >= 100;
}

/** Letters of more bytes are counted exactly: with the default limits of a queue there are none. */
const USUAL_BYTES = 512 * 1024;
/** Each letter that is looked at is locked, so it begins with few. */
const FIRST_LOT = 4;
const LARGEST_LOT = 512;

/** Deletes the oldest until $1 letters and $2 bytes are free, but no more than $3. */
function dropOldest(letters: string, which: string): string {
  return `
    WITH oldest AS MATERIALIZED (
      SELECT id, bytes, died_at FROM ${letters} WHERE ${which}
        ORDER BY died_at, id LIMIT $3 FOR UPDATE SKIP LOCKED
    ), counted AS (
      SELECT id, row_number() OVER older AS place, sum(bytes) OVER older - bytes AS before
        FROM oldest WINDOW older AS (ORDER BY died_at, id)
    )
    DELETE FROM ${letters} AS letter USING counted
      WHERE letter.id = counted.id AND (counted.place <= $1::bigint OR counted.before < $2::bigint)
      RETURNING letter.state, letter.bytes`;
}

function isLoss({ state }: Readonly<Record<string, unknown>>): boolean {
  return state !== 'redriven';
}
