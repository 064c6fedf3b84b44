export { RedisBudget, type RedisBudgetOptions } from './redis-budget.ts';
export type { Ioredis, NodeRedis, RedisClient, RedisCommands } from './redis-commands.ts';
export { type ShareBreakerOptions, type SharedBreaker, shareBreaker } from './share-breaker.ts';
