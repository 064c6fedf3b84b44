import { isFunction, message } from '../../engine/option-checks.ts';
import { read } from '../../engine/read.ts';

/** An argument of a command. */
export type RedisArgument = string | number | Buffer;

/** What is used of a client, or a cluster, of ioredis. */
export interface IoredisCommands {
  call(command: string, args: RedisArgument[]): Promise<unknown>;
  /** Tells it from other clients. */
  readonly defineCommand: unknown;
}

/** What is used of a client, a pool or a sentinel of node-redis, the package `redis`. */
export interface NodeRedisCommands {
  sendCommand(args: (string | Buffer)[]): Promise<unknown>;
}

/** Sends a command, for other clients and for a cluster of node-redis. */
export type SendCommand = (command: string, args: readonly RedisArgument[]) => Promise<unknown>;

/** What `retryCommand` can talk to. */
export type CommandClient = IoredisCommands | NodeRedisCommands | SendCommand;

/**
 * One way to send commands through every client.
 *
 * @throws TypeError when it is no client, or a cluster of node-redis: that has to be told the key and whether it reads
 */
export function commandSender(client: CommandClient): SendCommand {
  if (typeof client === 'function') return client;
  if (isIoredis(client)) return (command, args) => client.call(command, [...args]);
  if (isFunction(read(client, 'nodeClient'))) {
    throw new TypeError(
      'client is a cluster of node-redis; it must be a function that sends the command to the right node',
    );
  }
  if (isNodeRedis(client)) {
    return (command, args) =>
      client.sendCommand([command, ...args.map(arg => (typeof arg === 'number' ? `${arg}` : arg))]);
  }
  throw new TypeError(
    message('client', client, 'a client of ioredis or node-redis, or a function that sends a command'),
  );
}

function isIoredis(client: unknown): client is IoredisCommands {
  return isFunction(read(client, 'call')) && isFunction(read(client, 'defineCommand'));
}

function isNodeRedis(client: unknown): client is NodeRedisCommands {
  return isFunction(read(client, 'sendCommand'));
}
