export type { BallastState } from './ballast.ts';
export { SqliteDeadLetterStore, type SqliteDeadLetterStoreOptions } from './sqlite-store.ts';
