import { Pool, type PoolConfig } from 'pg';
import {
  PostgresDeadLetterStore,
  type PostgresDeadLetterStoreOptions,
} from '../../../src/recovery/dead-letters/postgres/index.ts';

/** A store on a pool of its own, to be ended by `end`. */
export interface OwnStore {
  readonly pool: Pool;
  readonly store: PostgresDeadLetterStore;
  end(): Promise<void>;
}

export function openStore(config: PoolConfig, options: Omit<PostgresDeadLetterStoreOptions, 'pool'> = {}): OwnStore {
  const pool = new Pool(config);
  pool.on('error', () => undefined);
  const store = new PostgresDeadLetterStore({ pool, ...options });
  const end = async (): Promise<void> => {
    await store.close();
    await pool.end();
  };
  return { pool, store, end };
}
