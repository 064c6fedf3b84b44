export type { PostgresAnswer, PostgresConnection, PostgresPool, PostgresQueryable } from './clients.ts';
export { PostgresDeadLetterStore } from './postgres-store.ts';
export type { PostgresDeadLetterStoreOptions } from './store-options.ts';
