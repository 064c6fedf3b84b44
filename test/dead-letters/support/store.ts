export { SqliteDeadLetterStore } from '../../../src/recovery/dead-letters/sqlite/index.ts';
