/** What runs a statement: a pool, a client or a connection on loan of pg. */
export interface PostgresQueryable {
  query(statement: string, values?: unknown[]): PromiseLike<PostgresAnswer>;
}

/** What pg answers with, as far as it is needed here. */
export interface PostgresAnswer {
  readonly rows: readonly Record<string, unknown>[];
  readonly rowCount: number | null;
}

/** A connection that a pool has lent. `release(true)` must close it instead of taking it back, as it does in pg. */
export interface PostgresConnection extends PostgresQueryable {
  release(destroy?: boolean): void;
}

/** A pool that lends connections, as those of pg do. */
export interface PostgresPool {
  connect(): PromiseLike<PostgresConnection>;
}
