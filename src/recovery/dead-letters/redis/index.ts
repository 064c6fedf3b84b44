export type { Ioredis, NodeRedis, RedisClient, RedisCommands } from '../../../limits/redis/redis-commands.ts';
export { RedisDeadLetterStore } from './redis-store.ts';
export { RedisNotDurableError, RedisStoreError } from './store-error.ts';
export type { RedisDeadLetterStoreOptions } from './store-options.ts';
