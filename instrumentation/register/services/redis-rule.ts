import type { ServiceRule } from '../../../src/services/policy-file/index.ts';
import { type RedisArgument, redisPolicy, retryCommand } from '../../../src/services/redis/index.ts';
import { isKnown } from '../../../src/services/redis/repeatable-commands.ts';
import { byItsRule, ruleFor } from '../service-rules.ts';
import { madeFor, optionsOf } from './by-rule.ts';

/** A command that a client is about to send. */
export interface RedisSending {
  /** What the command is sent through: between MULTI and EXEC each belongs to all others. */
  readonly client: object;
  /** Where it may go: a cluster has many nodes. */
  readonly hosts: readonly (string | undefined)[];
  readonly name: string;
  readonly args: readonly RedisArgument[];
  /** Sends it once. */
  send(): Promise<unknown>;
}

/**
 * Retries a command where the policy file has a rule for it. Undefined where there is none, and for commands that belong
 * to their connection, such as SUBSCRIBE or what stands in a transaction.
 */
export function retriedCommand({ client, hosts, name, args, send }: RedisSending): Promise<unknown> | undefined {
  const lower = name.toLowerCase();
  if (lower === 'multi') inTransaction.add(client);
  if (lower === 'exec' || lower === 'discard') inTransaction.delete(client);
  if (!isKnown(lower) || inTransaction.has(client)) return undefined;
  const rule = firstRule(lower, hosts);
  const options = rule === undefined ? undefined : redisOptions(rule);
  return options === undefined ? undefined : byItsRule(() => retryCommand(send, [name, ...args], options));
}

function firstRule(name: string, hosts: readonly (string | undefined)[]): ServiceRule | undefined {
  for (const host of hosts) {
    const rule = ruleFor({ kind: 'redis', host, name });
    if (rule !== undefined) return rule;
  }
  return undefined;
}

const redisOptions = madeFor(rule => {
  const options = optionsOf(rule);
  redisPolicy(options);
  return options;
});
const inTransaction = new WeakSet<object>();
