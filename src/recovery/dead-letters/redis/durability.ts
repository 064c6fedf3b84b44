import { isFunction } from '../../../engine/option-checks.ts';
import { read } from '../../../engine/read.ts';
import { faultCode, type Script } from '../../../limits/redis/script-runner.ts';

/** What a server says of how it keeps its data. What it does not tell is left out. */
export interface ServerSettings {
  readonly appendonly?: string | undefined;
  readonly appendfsync?: string | undefined;
  readonly noAppendfsyncOnRewrite?: string | undefined;
  readonly maxmemoryPolicy?: string | undefined;
}

/** Gives two sections of what the server says of itself; an empty text for one that it keeps to itself. Scripts go to the right node. */
export const infoScript: Script = {
  sha: '77cde2b1a63dc6a141e26ac580c89ff798b3a181',
  lua: `local function info(section)
  local text = redis.pcall('INFO', section)
  return type(text) == 'string' and text or ''
end
return {info('persistence'), info('memory')}
`,
};

/** What of this loses letters that were acknowledged, each in a few words. */
export function lossesOf(settings: ServerSettings): readonly string[] {
  const { appendonly, appendfsync, noAppendfsyncOnRewrite, maxmemoryPolicy } = settings;
  const losses: string[] = [];
  if (appendonly === 'no') losses.push('appendonly is no, yes is needed');
  if (appendonly !== 'no' && appendfsync !== undefined && appendfsync !== 'always') {
    losses.push(`appendfsync is ${appendfsync}, always is needed`);
  }
  if (noAppendfsyncOnRewrite === 'yes') losses.push('no-appendfsync-on-rewrite is yes, no is needed');
  if (maxmemoryPolicy?.startsWith('allkeys-') === true) {
    losses.push(`maxmemory-policy is ${maxmemoryPolicy}, noeviction is needed`);
  }
  return losses;
}

/** Whether it can be told at all that letters are kept. */
export function isTold({ appendonly, appendfsync }: ServerSettings): boolean {
  return appendonly === 'no' || (appendonly !== undefined && appendfsync !== undefined);
}

/** The settings that the reply of {@link infoScript} tells. */
export function settingsOfInfo(reply: unknown): ServerSettings {
  const [persistence, memory] = [String(read(reply, 0) ?? ''), String(read(reply, 1) ?? '')];
  const enabled = /^aof_enabled:(\d)/m.exec(persistence)?.[1];
  return {
    appendonly: enabled === undefined ? undefined : enabled === '1' ? 'yes' : 'no',
    maxmemoryPolicy: /^maxmemory_policy:([\w-]+)/m.exec(memory)?.[1],
  };
}

/**
 * Asks each server for its configuration: one, or all masters of a cluster where the client knows them. Nothing for what
 * they do not tell, as managed ones. `within` bounds the time of each. Rejects when none of them answers: one of the
 * others may be the one that counts.
 */
export async function configuredSettings(
  client: object,
  key: string,
  within: (ask: () => Promise<ServerSettings>) => Promise<ServerSettings>,
): Promise<readonly ServerSettings[]> {
  const asked = await Promise.allSettled(sendersOf(client, key).map(send => within(() => settingsFrom(send))));
  const told = asked.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = asked.find(each => each.status === 'rejected');
  if (told.length === 0 && failed !== undefined) throw failed.reason;
  return told;
}

/** Sends a command that has no key. */
type Send = (args: readonly [string, ...string[]]) => Promise<unknown>;

async function settingsFrom(send: Send): Promise<ServerSettings> {
  const [append, memory] = [await config(send, '*append*'), await config(send, 'maxmemory-policy')];
  return {
    appendonly: append.get('appendonly'),
    appendfsync: append.get('appendfsync'),
    noAppendfsyncOnRewrite: append.get('no-appendfsync-on-rewrite'),
    maxmemoryPolicy: memory.get('maxmemory-policy'),
  };
}

async function config(send: Send, pattern: string): Promise<ReadonlyMap<string, string>> {
  try {
    return pairsOf(await send(['CONFIG', 'GET', pattern]));
  } catch (fault) {
    // Renamed, or forbidden.
    if (['ERR', 'NOPERM'].includes(faultCode(fault))) return new Map();
    throw fault;
  }
}

function sendersOf(client: object, key: string): readonly Send[] {
  if (isFunction(read(client, 'call'))) {
    const nodes = read(client, 'nodes');
    const all = isFunction(nodes) ? (client as { nodes(role: 'master'): readonly object[] }).nodes('master') : [client];
    return all.map(
      node =>
        ([command, ...args]) =>
          (node as { call(command: string, args: readonly string[]): Promise<unknown> }).call(command, args),
    );
  }
  if (!isFunction(read(client, 'sendCommand'))) return [];
  const sendCommand = (...args: unknown[]): Promise<unknown> => (client as NodeRedisSender).sendCommand(...args);
  // A cluster asks for the key and whether the command only reads, a sentinel for the latter.
  if (isFunction(read(client, 'nodeClient'))) return [args => sendCommand(key, false, args)];
  if (isFunction(read(client, 'getSentinelNode'))) return [args => sendCommand(false, args)];
  return [args => sendCommand(args)];
}

interface NodeRedisSender {
  sendCommand(...args: unknown[]): Promise<unknown>;
}

/** Of a list of names and values, or of a map as the third version of the protocol has them. */
function pairsOf(reply: unknown): ReadonlyMap<string, string> {
  if (Array.isArray(reply)) {
    const texts = reply.map(String);
    return new Map(texts.flatMap((name, i) => (i % 2 === 0 ? [[name, texts[i + 1] ?? ''] as const] : [])));
  }
  const entries = reply instanceof Map ? [...reply] : Object.entries(reply ?? {});
  return new Map(entries.map(([name, value]) => [String(name), String(value)]));
}
