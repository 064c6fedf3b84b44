export type { ServiceOptions } from '../service-policy.ts';
export { classifyRedisError, mayHaveRun } from './classify-redis-error.ts';
export { REDIS_CLIENT_OPTIONS } from './client-retries.ts';
export type {
  CommandClient,
  IoredisCommands,
  NodeRedisCommands,
  RedisArgument,
  SendCommand,
} from './command-client.ts';
export { REDIS_DEFAULTS, type RedisRetryOptions, redisPolicy } from './redis-policy.ts';
export { isRepeatable } from './repeatable-commands.ts';
export { type RedisCommand, retryCommand } from './retry-command.ts';
export { retryRedis } from './retry-redis.ts';
