import { type RedisArgument, redisPolicy, retryCommand } from '../../../src/services/redis/index.ts';
import { isKnown } from '../../../src/services/redis/repeatable-commands.ts';
import { ruleFor } from '../service-rules.ts';
import { madeFor, optionsOf } from './by-rule.ts';

/** A command that a client is about to send. */
export interface RedisSending {
  /** What the command is sent through: between MULTI and EXEC each belongs to all others. */
  readonly client: object;
  readonly host: string | undefined;
  readonly name: string;
  readonly args: readonly RedisArgument[];
  /** Sends it once. */
  send(): Promise<unknown>;
}

/**
 * Retries a command where the policy file has a rule for it. Undefined where there is none, and for commands that belong
 * to their connection, such as SUBSCRIBE or what stands in a transaction.
 */
export function retriedCommand({ client, host, name, args, send }: RedisSending): Promise<unknown> | undefined {
  const lower = name.toLowerCase();
  if (lower === 'multi') inTransaction.add(client);
  if (lower === 'exec' || lower === 'discard') inTransaction.delete(client);
  if (!isKnown(lower) || inTransaction.has(client)) return undefined;
  const rule = ruleFor({ kind: 'redis', host, name: lower });
  const options = rule === undefined ? undefined : redisOptions(rule);
  return options === undefined ? undefined : retryCommand(send, [name, ...args], options);
}

const redisOptions = madeFor(rule => {
  const options = optionsOf(rule);
  redisPolicy(options);
  return options;
});
const inTransaction = new WeakSet<object>();
