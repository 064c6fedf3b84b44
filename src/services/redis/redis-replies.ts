import type { ErrorClass } from '../../engine/outcome.ts';
import { read } from '../../engine/read.ts';

/**
 * What an error reply of Redis means, by the word that it begins with; undefined for an error that is no reply. A reply
 * says for certain that the command was not carried out.
 */
export function classOfReply(error: unknown): ErrorClass | undefined {
  const code = replyCode(error);
  if (code === undefined) return undefined;
  if (code === 'EXECABORT') return classOfAborted(error);
  if (code === 'ERR' && TOO_MANY_CLIENTS.test(String(read(error, 'message')))) return 'throttled';
  return TRANSIENT.has(code) ? 'transient' : 'permanent';
}

/**
 * Replies that a later attempt may not get. `OOM` and `MISCONF` are none of them: memory and disk stay full until
 * somebody makes room, and each attempt costs the server work that it has no room for.
 */
const TRANSIENT: ReadonlySet<string> = new Set([
  // The data set is being read from the disk.
  'LOADING',
  // A script runs for too long; nothing else does until it ends or is killed.
  'BUSY',
  // Keys of a command are on their way to another node.
  'TRYAGAIN',
  'CLUSTERDOWN',
  // A replica has lost its primary and may not answer with old data.
  'MASTERDOWN',
  // During a failover the old primary is a replica already.
  'READONLY',
  'NOREPLICAS',
  // A command that waited was let go because its node changed roles.
  'UNBLOCKED',
]);
const TOO_MANY_CLIENTS = /^ERR max number of clients/;

/** The classes by which ioredis and node-redis tell a reply from a fault of the connection. */
const REPLY_CLASSES: readonly unknown[] = ['ReplyError', 'SimpleError', 'BlobError', 'ErrorReply', 'MultiErrorReply'];

function replyCode(error: unknown): string | undefined {
  const message = read(error, 'message');
  const code = typeof message === 'string' ? /^([A-Z][A-Z\d_]{1,30})(?: |$)/.exec(message)?.[1] : undefined;
  if (code !== undefined && (TRANSIENT.has(code) || code === 'EXECABORT')) return code;
  const isReply = REPLY_CLASSES.includes(read(read(error, 'constructor'), 'name'));
  return isReply ? (code ?? 'ERR') : undefined;
}

/** A transaction of which a command was refused beforehand: ioredis keeps those refusals. */
function classOfAborted(error: unknown): ErrorClass {
  const refusals = read(error, 'previousErrors');
  const length = read(refusals, 'length');
  const all =
    typeof length === 'number' ? Array.from({ length: Math.min(length, 10) }, (_, i) => read(refusals, i)) : [];
  return all.length > 0 && all.every(each => classOfReply(each) === 'transient') ? 'transient' : 'permanent';
}
