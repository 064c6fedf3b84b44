import { read } from '../../../src/engine/read.ts';
import type { RedisArgument } from '../../../src/services/redis/index.ts';
import { ioredis as observed } from '../../libraries/ioredis.ts';
import type { Library } from '../../libraries/library.ts';
import { applied, type Callable, patchMethod, prototypeOf } from '../../libraries/patching.ts';
import { hostOf } from './host-of.ts';
import { retriedCommand } from './redis-rule.ts';

/** Single commands of ioredis with a promise. Pipelines, transactions and commands with a callback are left alone. */
export const ioredis: Library = {
  name: 'ioredis',
  does: 'retries',
  module: 'ioredis',
  versions: observed.versions,
  patch: exports => {
    patchMethod(prototypeOf(exports, 'default'), 'sendCommand', sendCommand);
    return exports;
  },
};

interface Command {
  readonly name: string;
  readonly args: readonly RedisArgument[];
  readonly promise: Promise<unknown>;
}

/** What passes through a second time comes from a queue of the client, and its promise has been given out already. */
const seen = new WeakSet<object>();

function sendCommand(original: Callable, self: unknown, args: unknown[]): unknown {
  const [command, stream] = args as [Command, unknown];
  if (seen.has(command)) return applied(original, self, args);
  seen.add(command);
  const isSingle = stream === undefined && read(command, 'callback') === undefined;
  let isFirst = true;
  const send = (): Promise<unknown> => {
    const sent = isFirst ? command : again(command);
    isFirst = false;
    return applied(original, self, [sent]) as Promise<unknown>;
  };
  const options = read(self, 'options');
  const host = hostOf(read(options, 'host'), read(options, 'port'), 6379);
  const { name, args: commandArgs } = command;
  const retried = isSingle
    ? retriedCommand({ client: self as object, host, name, args: commandArgs, send })
    : undefined;
  return retried ?? applied(original, self, args);
}

/** A command is settled once; another attempt needs another one. Its keys have their prefix already. */
function again(command: Command): Command {
  const Another = command.constructor as new (name: string, args: readonly unknown[], options: object) => Command;
  const made = new Another(command.name, [...command.args], {
    replyEncoding: read(command, 'replyEncoding'),
    errorStack: read(command, 'errorStack'),
    readOnly: read(command, 'isReadOnly'),
  });
  seen.add(made);
  return made;
}
