import { message } from '../../engine/option-checks.ts';
import type { RetryPolicy } from '../../forms/retry-policy.ts';
import { type CommandClient, commandSender, type RedisArgument } from './command-client.ts';
import { type RedisRetryOptions, redisPolicy } from './redis-policy.ts';
import { isKnown, isRepeatable } from './repeatable-commands.ts';
import { noting } from './retry-redis.ts';

/** A command and its arguments. */
export type RedisCommand = readonly [name: string, ...args: RedisArgument[]];

/**
 * Sends one command to Redis, and retries it. Commands that only read, and writes that may be made twice, are sent again
 * whatever went wrong; the others, such as `INCR` and `LPUSH`, only when they were certainly not carried out, unless
 * `idempotent: true` says that it does no harm. See `isRepeatable`. Only what may be sent again is hedged.
 *
 * A command that is retried comes later than those which are sent meanwhile: of two `SET`s of one key that do not wait for
 * each other, the first may be the one that lasts. Await the first before you send the second where the order matters.
 *
 * Operation: `redis_` and the command, such as `redis_get`. Budget: `redis`. Commands that belong to a connection
 * (`MULTI`, `WATCH`, `SELECT`, `SUBSCRIBE`) are not for this: another attempt may have another connection.
 *
 * @param client a client of ioredis, a client or pool of node-redis, or a function that sends a command
 * @throws TypeError or RangeError at once, when the command or an option is wrong
 *
 * @example
 * ```ts
 * const name = await retryCommand<string | null>(redis, ['GET', 'user:1:name']);
 * ```
 */
export function retryCommand<T = unknown>(
  client: CommandClient,
  command: RedisCommand,
  options: RedisRetryOptions<T> = NOTHING,
): Promise<T> {
  const [name, ...args] = checkCommand(command);
  const send = commandSender(client);
  const policy = policyFor(options, name, options?.idempotent ?? isRepeatable(command));
  const attempt = noting(async () => (await send(name, args)) as T);
  return policy.execute(attempt) as Promise<T>;
}

function checkCommand(command: RedisCommand): RedisCommand {
  const isCommand = Array.isArray(command) && typeof command[0] === 'string' && command[0] !== '';
  if (!isCommand) {
    throw new TypeError(message('command', command, "a list of a name and its arguments, such as ['GET', 'key']"));
  }
  return [...command] as unknown as RedisCommand;
}

/** One policy for each options object, operation and whether the command may be repeated. */
function policyFor<T>(options: RedisRetryOptions<T>, name: string, idempotent: boolean): RetryPolicy<T> {
  if (typeof options !== 'object' || options === null) return redisPolicy(options);
  const operation = options.operation ?? operationOf(name);
  const known = policies.get(options) ?? new Map<string, RetryPolicy<unknown>>();
  policies.set(options, known);
  const key = `${operation} ${idempotent}`;
  const policy = known.get(key) ?? (redisPolicy({ ...options, operation, idempotent }) as RetryPolicy<unknown>);
  known.set(key, policy);
  return policy as RetryPolicy<T>;
}

const NOTHING: RedisRetryOptions<never> = Object.freeze({});
const policies = new WeakMap<object, Map<string, RetryPolicy<unknown>>>();

/** A name that is not known may be anything, so it names no operation. */
function operationOf(name: string): string {
  const lower = name.toLowerCase();
  return isKnown(lower) ? `redis_${lower}` : 'redis_command';
}
