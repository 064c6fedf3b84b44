import type { ErrorClass } from '../../engine/outcome.ts';
import { read } from '../../engine/read.ts';

/** What is known of a kind of error. */
export interface SqlFact {
  readonly errorClass: ErrorClass;
  /** Whether the statement has been carried out: surely not, since it was never sent or was rolled back; or perhaps. */
  readonly effect: 'never_sent' | 'rolled_back' | 'unknown';
  /** True where transactions got in each other's way: the next attempt need not wait long. */
  readonly isConflict?: boolean;
}

/** What is known of one error, by its code or, where pg gives none, by its message; undefined where nothing is. */
export function sqlFact(error: unknown): SqlFact | undefined {
  const code = read(error, 'code');
  if (typeof code === 'string') {
    const known = CODES.get(code);
    if (known !== undefined) return known;
    if (isSqlState(error, code)) return ofSqlState(code, error);
    if (code === 'ENOENT') return read(error, 'syscall') === 'connect' ? NOT_REACHED : undefined;
  }
  return ofMysql(error) ?? ofMessage(error);
}

const NOT_REACHED: SqlFact = { errorClass: 'transient', effect: 'never_sent' };
const CROWDED: SqlFact = { errorClass: 'throttled', effect: 'never_sent' };
const LOST: SqlFact = { errorClass: 'transient', effect: 'unknown' };
const CONFLICT: SqlFact = { errorClass: 'transient', effect: 'rolled_back', isConflict: true };
const PASSING: SqlFact = { errorClass: 'transient', effect: 'rolled_back' };
const REFUSED: SqlFact = { errorClass: 'permanent', effect: 'rolled_back' };
const NO_ENTRY: SqlFact = { errorClass: 'permanent', effect: 'never_sent' };
const BROKEN: SqlFact = { errorClass: 'permanent', effect: 'unknown' };

/** Codes of Node, SQLSTATEs (PostgreSQL appendix A), and names of MySQL and its drivers. */
const CODES: ReadonlyMap<string, SqlFact> = new Map([
  ...each(NOT_REACHED, 'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'),
  ...each(LOST, 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED', 'EHOSTDOWN', 'ENETDOWN', 'ENETRESET'),
  // 08: connections. 08P01 is a protocol that one side does not speak.
  ...each(NOT_REACHED, '08001', '08004'),
  ...each(LOST, '08000', '08003', '08006', '08007'),
  ...each(BROKEN, '08P01'),
  ...each(CONFLICT, '40000', '40001', '40P01'),
  ...each(LOST, '40003'),
  ...each(REFUSED, '40002'),
  // Another session holds what the statement wants, and the statement was not to wait.
  ...each(PASSING, '55P03', '55006'),
  // 53: resources. A full disk and a limit of the configuration do not go away by themselves.
  ...each(CROWDED, '53300'),
  ...each(PASSING, '53000', '53200'),
  // 57P: the server ends, starts, or ends the session. 57P04 is a database that was dropped.
  ...each(LOST, '57P01', '57P02', '57P05'),
  ...each(NOT_REACHED, '57P03'),
  ...each(BROKEN, '57P04', '25P03', '25P04'),
  ...each(PASSING, '58000', '58030'),
  ...each(CONFLICT, 'ER_LOCK_DEADLOCK', 'ER_XA_RBDEADLOCK', 'ER_CHECKREAD'),
  ...each(PASSING, 'ER_LOCK_WAIT_TIMEOUT', 'ER_LOCK_NOWAIT', 'ER_XA_RBTIMEOUT'),
  ...each(CROWDED, 'ER_CON_COUNT_ERROR', 'ER_TOO_MANY_USER_CONNECTIONS', 'ER_USER_LIMIT_REACHED'),
  ...each(
    LOST,
    'PROTOCOL_CONNECTION_LOST',
    'PROTOCOL_SEQUENCE_TIMEOUT',
    'ER_SERVER_SHUTDOWN',
    'ER_ABORTING_CONNECTION',
  ),
  ...each(LOST, 'ER_NEW_ABORTING_CONNECTION', 'ER_CONNECTION_KILLED', 'ER_CLIENT_INTERACTION_TIMEOUT'),
  ...each(LOST, 'ER_NET_READ_ERROR', 'ER_NET_READ_INTERRUPTED', 'ER_NET_ERROR_ON_WRITE', 'ER_NET_WRITE_INTERRUPTED'),
  ...each(BROKEN, 'ER_ERROR_DURING_COMMIT'),
  ...each(NO_ENTRY, 'ER_ACCESS_DENIED_ERROR', 'ER_DBACCESS_DENIED_ERROR', 'ER_BAD_DB_ERROR', 'POOL_CLOSED'),
]);

/** The numbers of MySQL, for drivers that give no names; those from 2000 to 2999 are of the client library. */
const MYSQL_NUMBERS: ReadonlyMap<number, SqlFact> = new Map([
  ...each(CONFLICT, 1213, 1614, 1020),
  ...each(PASSING, 1205, 1613, 3572),
  ...each(CROWDED, 1040, 1203, 1226),
  ...each(LOST, 1053, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 4031, 2006, 2013, 2055),
  ...each(NOT_REACHED, 2002, 2003, 2005),
  ...each(BROKEN, 1180),
  ...each(NO_ENTRY, 1044, 1045, 1049),
]);

/** What drivers say without a code: pg and its pool, then mysql2. */
const MESSAGES: ReadonlyMap<string, SqlFact> = new Map([
  ...each(LOST, 'Connection terminated unexpectedly', 'Connection terminated', 'Query read timeout'),
  ...each(NOT_REACHED, 'timeout exceeded when trying to connect', 'timeout expired'),
  ...each(NOT_REACHED, 'Connection terminated due to connection timeout'),
  ...each(NOT_REACHED, 'Client has encountered a connection error and is not queryable'),
  ...each(NOT_REACHED, 'Client was closed and is not queryable'),
  ...each(NO_ENTRY, 'Cannot use a pool after calling end on the pool', 'Pool is closed.'),
  ...each(NOT_REACHED, "Can't add new command when connection is in closed state"),
  ...each(CROWDED, 'No connections available.', 'Queue limit reached.'),
]);

function each<K extends string | number>(fact: SqlFact, ...keys: readonly K[]): [K, SqlFact][] {
  return keys.map(key => [key, fact]);
}

/** Some codes of Node have five capitals too; only what a server answered has a severity. */
function isSqlState(error: unknown, code: string): boolean {
  if (!/^[\dA-Z]{5}$/.test(code)) return false;
  return /^(\d|F0|HV|P0|XX)/.test(code) || typeof read(error, 'severity') === 'string';
}

/** A server that answers with an error has rolled the statement back, unless it goes down itself. */
function ofSqlState(code: string, error: unknown): SqlFact {
  if (code.startsWith('28') || code === '3D000') return NO_ENTRY;
  const severity = read(error, 'severity');
  const isDown = /^(08|57P|XX)/.test(code) || severity === 'FATAL' || severity === 'PANIC';
  return isDown ? BROKEN : REFUSED;
}

function ofMysql(error: unknown): SqlFact | undefined {
  const number = read(error, 'errno');
  if (typeof number !== 'number') return undefined;
  const known = MYSQL_NUMBERS.get(number);
  if (known !== undefined) return known;
  // Node's own errors have an errno as well, below zero.
  const isOfServer = typeof read(error, 'sqlState') === 'string' && (number < 2000 || number >= 3000);
  return isOfServer && number >= 1000 && read(error, 'fatal') !== true ? REFUSED : undefined;
}

function ofMessage(error: unknown): SqlFact | undefined {
  const text = read(error, 'message');
  return typeof text === 'string' ? MESSAGES.get(text) : undefined;
}
