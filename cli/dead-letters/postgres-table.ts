import { UnavailableError } from '../unavailable-error.ts';

/** What is needed of a pool of pg to see which tables there are. */
export interface PgTables {
  query(query: {
    readonly text: string;
    readonly values: readonly string[];
    /** Milliseconds. */
    readonly query_timeout: number;
  }): Promise<{ readonly rows: readonly unknown[] }>;
}

/**
 * Looks for the table of a store: the store itself would make one.
 *
 * @throws UnavailableError when it is not there; what pg throws
 */
export async function mustHaveTable(
  pool: PgTables,
  { schema, table, timeoutMs }: { readonly schema: string; readonly table: string; readonly timeoutMs: number },
  shown: string,
): Promise<void> {
  const { rows } = await pool.query({ text: FIND_TABLE, values: [schema, table], query_timeout: timeoutMs });
  if (rows.length === 0) throw new UnavailableError(`${shown}: there is no table ${schema}.${table}`);
}

const FIND_TABLE = `SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2`;
