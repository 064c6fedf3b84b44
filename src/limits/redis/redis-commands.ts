import { isFunction, message } from '../../engine/option-checks.ts';
import { read } from '../../engine/read.ts';

/**
 * All that is asked of Redis. An object of your own may answer it, for clients other than ioredis and node-redis: both
 * functions take the keys and the arguments of a script and resolve with its reply.
 *
 * @example
 * ```ts
 * const redis: RedisCommands = {
 *   evalsha: (sha, keys, args) => client.send('EVALSHA', sha, keys.length, ...keys, ...args),
 *   eval: (script, keys, args) => client.send('EVAL', script, keys.length, ...keys, ...args),
 * };
 * ```
 */
export interface RedisCommands {
  eval(script: string, keys: string[], args: string[]): Promise<unknown>;
  evalsha(sha: string, keys: string[], args: string[]): Promise<unknown>;
}

/** What is used of a client, or a cluster, of ioredis. */
export interface Ioredis {
  eval(script: string, numkeys: number, ...keysAndArgs: string[]): Promise<unknown>;
  evalsha(sha: string, numkeys: number, ...keysAndArgs: string[]): Promise<unknown>;
  /** Tells it from other clients. */
  defineCommand: unknown;
}

/** What is used of a client, a pool or a cluster of node-redis, the package `redis`. */
export interface NodeRedis {
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** A connected client: of ioredis or node-redis, or an object of your own. */
export type RedisClient = RedisCommands | Ioredis | NodeRedis;

/** One way to talk to every client. What has no connection fails at once: a client's queue would only be waited for. */
export function redisCommands(client: RedisClient): RedisCommands {
  if (isNodeRedis(client)) {
    return {
      eval: async (script, keys, args) => connected(client).eval(script, { keys, arguments: args }),
      evalsha: async (sha, keys, args) => connected(client).evalSha(sha, { keys, arguments: args }),
    };
  }
  if (isIoredis(client)) {
    return {
      eval: async (script, keys, args) => connected(client).eval(script, keys.length, ...keys, ...args),
      evalsha: async (sha, keys, args) => connected(client).evalsha(sha, keys.length, ...keys, ...args),
    };
  }
  return client;
}

/** A check for a {@link RedisClient}. */
export function checkRedis(name: string, value: unknown): void {
  const isClient = isFunction(read(value, 'eval')) && (isFunction(read(value, 'evalsha')) || isNodeRedis(value));
  if (!isClient) {
    throw new TypeError(
      message(name, value, 'a client of ioredis or node-redis, or an object with the functions "eval" and "evalsha"'),
    );
  }
}

function isNodeRedis(client: unknown): client is NodeRedis {
  return isFunction(read(client, 'evalSha'));
}

function isIoredis(client: unknown): client is Ioredis {
  return isFunction(read(client, 'defineCommand'));
}

function connected<Client>(client: Client): Client {
  const status = read(client, 'status');
  // A client of ioredis that connects lazily waits for a first command.
  const isWaiting = typeof status === 'string' && status !== 'ready' && status !== 'wait';
  if (isWaiting || read(client, 'isReady') === false) throw new NotConnected('The Redis client is not connected');
  return client;
}

class NotConnected extends Error {
  override readonly name = 'NotConnected';
  readonly code = 'NOTCONNECTED';
}
