import { read } from '../../../src/engine/read.ts';
import { toUrl } from '../../../src/services/http/request-facts.ts';
import type { RedisArgument } from '../../../src/services/redis/index.ts';
import { ioredis as observed } from '../../libraries/ioredis.ts';
import type { Library } from '../../libraries/library.ts';
import { applied, type Instead, patchMethod, prototypeOf } from '../../libraries/patching.ts';
import { hostOf } from './host-of.ts';
import { retriedCommand } from './redis-rule.ts';

/**
 * Single commands of ioredis with a promise, of a client or of a cluster. Pipelines, transactions and commands with a
 * callback are left alone. What a cluster does to find the right node stays below: its nodes are left alone too.
 */
export const ioredis: Library = {
  name: 'ioredis',
  does: 'retries',
  module: 'ioredis',
  versions: observed.versions,
  patch: exports => {
    patchMethod(prototypeOf(exports, 'default'), 'sendCommand', retrying(hostsOfClient));
    patchMethod(prototypeOf(exports, 'Cluster'), 'sendCommand', retrying(hostsOfCluster));
    return exports;
  },
};

interface Command {
  readonly name: string;
  readonly args: readonly RedisArgument[];
  readonly promise: Promise<unknown>;
  resolve(reply: unknown): void;
  reject(error: unknown): void;
  transformReply(reply: unknown): unknown;
}

/** What passes through a second time comes from a queue of the client, or from the cluster that it is a node of. */
const seen = new WeakSet<object>();

function retrying(hostsOf: (self: unknown) => readonly (string | undefined)[]): Instead {
  return (original, self, args) => {
    const [command, stream, node] = args as [Command, unknown, unknown];
    if (seen.has(command)) return applied(original, self, args);
    seen.add(command);
    const isSingle = stream === undefined && node === undefined && read(command, 'callback') === undefined;
    const retried = isSingle
      ? retriedCommand({
          client: self as object,
          hosts: hostsOf(self),
          name: command.name,
          args: command.args,
          send: () => applied(original, self, [another(command)]) as Promise<unknown>,
        })
      : undefined;
    return retried === undefined ? applied(original, self, args) : settledBy(retried, command);
  };
}

/**
 * The promise that the command has always had, and that may be in other hands already, settles as the last attempt does:
 * one of ours beside it would be nobody's, and its rejection the end of the process.
 */
function settledBy(retried: Promise<unknown>, command: Command): Promise<unknown> {
  // The attempts have done that.
  command.transformReply = reply => reply;
  retried.then(
    reply => command.resolve(reply),
    error => command.reject(error),
  );
  return command.promise;
}

/** A command is settled once, so each attempt sends another one. */
function another(command: Command): Command {
  const Another = command.constructor as new (name: string, args: readonly unknown[], options: object) => Command;
  const options = { replyEncoding: read(command, 'replyEncoding'), readOnly: read(command, 'isReadOnly') };
  const made = new Another('', [], options);
  // Arguments are transformed, by functions of the user too, for the name that the constructor is given: these are already.
  Object.assign(made, { name: command.name, args: [...command.args], bufferMode: read(command, 'bufferMode') });
  seen.add(made);
  return made;
}

function hostsOfClient(self: unknown): (string | undefined)[] {
  const options = read(self, 'options');
  return [hostOf(read(options, 'host'), read(options, 'port'), USUAL_PORT)];
}

/** A cluster goes by the nodes that it was given: the others come and go. */
function hostsOfCluster(self: unknown): (string | undefined)[] {
  const nodes = read(self, 'startupNodes');
  return Array.isArray(nodes) && nodes.length > 0 ? nodes.map(hostOfNode) : [undefined];
}

/** A node may be given by its options, by a URL or address, and by its port alone. */
function hostOfNode(node: unknown): string | undefined {
  if (typeof node === 'object') return hostOf(read(node, 'host') ?? LOCAL, read(node, 'port'), USUAL_PORT);
  const text = /^\d+$/.test(String(node)) ? `${LOCAL}:${node}` : String(node);
  const url = toUrl(text.includes('//') ? text : `//${text}`, 'redis://');
  return url === undefined ? undefined : hostOf(url.hostname, url.port === '' ? undefined : url.port, USUAL_PORT);
}

const LOCAL = '127.0.0.1';
const USUAL_PORT = 6379;
