export { checkDatabase, type DatabaseHealth } from './check-database.ts';
export { classifySqlError } from './classify-sql-error.ts';
export type {
  ConnectPool,
  GetConnectionPool,
  PooledClient,
  Queryable,
  QueryRows,
  StatementConfig,
} from './clients.ts';
export {
  type DatabaseOptions,
  HEALTH_CHECK_DEFAULTS,
  type Isolation,
  QUERY_DEFAULTS,
  type QueryOptions,
  TRANSACTION_DEFAULTS,
  type TransactionOptions,
} from './database-options.ts';
export { isOutcomeUnknown } from './outcome.ts';
export { isPlainRead } from './plain-read.ts';
export { retryQuery } from './retry-query.ts';
export { retryTransaction } from './retry-transaction.ts';
