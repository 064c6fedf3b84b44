import { isFunction } from '../../engine/option-checks.ts';
import { read } from '../../engine/read.ts';

/**
 * What runs a statement: a pool or a client of pg, of mysql2/promise, or an object of your own with this one function.
 * `R` is what it answers with: rows and counts in pg, `[rows, fields]` in mysql2.
 */
export interface Queryable<R = unknown> {
  query(statement: string | StatementConfig, values?: readonly unknown[]): PromiseLike<R>;
}

/** A statement as an object: `text` in pg, `sql` in mysql2, and whatever else the client knows of. */
export interface StatementConfig {
  readonly text?: string;
  readonly sql?: string;
  readonly values?: readonly unknown[] | undefined;
}

/** What pg answers with, as far as it is needed here. */
export interface QueryRows<R = Record<string, unknown>> {
  readonly rows: R[];
  readonly rowCount: number | null;
}

/**
 * A connection that a pool has lent. `release(true)` must close it instead of taking it back, as it does in pg; where
 * there is a `destroy()`, as in mysql2, that is called instead.
 */
export interface PooledClient {
  // biome-ignore lint/complexity/noBannedTypes: overloads of clients fit no one signature, and the library only calls it with text
  readonly query: Function;
  // biome-ignore lint/complexity/noBannedTypes: as above
  readonly release: Function;
}

/** A pool that lends connections by `connect()`, as those of pg do. The second signature is pg's; it is never called. */
export interface ConnectPool<C extends PooledClient = PooledClient> {
  connect(): PromiseLike<C>;
  connect(callback: (...args: never[]) => void): unknown;
}

/** A pool that lends connections by `getConnection()`, as those of mysql2/promise do. */
export interface GetConnectionPool<C extends PooledClient = PooledClient> {
  getConnection(): PromiseLike<C>;
}

/** How a database is reached: from a pool, over one connection, or by whatever `query` of an unknown object does. */
export type Source = PoolSource | { readonly kind: 'connection' | 'queryable'; readonly client: Queryable };

/** A pool, and the words that its server understands. */
export interface PoolSource {
  readonly kind: 'pool';
  readonly dialect: Dialect;
  acquire(): PromiseLike<unknown>;
}

/** Whose SQL is spoken where PostgreSQL and MySQL differ: how a transaction begins. */
export type Dialect = 'postgresql' | 'mysql';

/**
 * Tells what `database` is.
 *
 * @throws TypeError when it is nothing that runs statements
 */
export function sourceOf(database: unknown): Source {
  const pool = poolOf(database);
  if (pool !== undefined) return pool;
  const client = database as Queryable;
  if (!isFunction(read(client, 'query'))) {
    throw new TypeError(
      `the database is ${kindOf(database)}; it must be a pool, a client, or an object with a function "query"`,
    );
  }
  return { kind: isConnection(client) ? 'connection' : 'queryable', client };
}

/**
 * Tells what `database` is, which must be a pool.
 *
 * @throws TypeError when it is not
 */
export function poolSourceOf(database: unknown): PoolSource {
  const pool = poolOf(database);
  if (pool !== undefined) return pool;
  throw new TypeError(
    `the pool is ${kindOf(database)}; it must have a function "connect" or "getConnection" that lends a connection, and be no connection itself`,
  );
}

function poolOf(database: unknown): PoolSource | undefined {
  if (isConnection(database)) return undefined;
  if (isFunction(read(database, 'getConnection'))) {
    return { kind: 'pool', dialect: 'mysql', acquire: () => (database as GetConnectionPool).getConnection() };
  }
  if (isFunction(read(database, 'connect'))) {
    return { kind: 'pool', dialect: 'postgresql', acquire: () => (database as ConnectPool).connect() };
  }
  return undefined;
}

/** Never the value itself: a text would be an address with its password. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Clients of pg have `connect` as well; what tells them apart are the parameters of their one connection. */
function isConnection(database: unknown): boolean {
  return (
    isFunction(read(database, 'release')) ||
    read(database, 'connectionParameters') !== undefined ||
    typeof read(database, 'threadId') === 'number'
  );
}
