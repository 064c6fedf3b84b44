import { causesOf } from '../../engine/causes.ts';
import { classifyError } from '../../engine/classify.ts';
import { isRetryError } from '../../engine/errors.ts';
import type { ErrorClass } from '../../engine/outcome.ts';
import { read } from '../../engine/read.ts';
import { classifyByCode } from '../classify/classify-by-code.ts';
import { classOfReply } from './redis-replies.ts';

/**
 * Classifies errors of ioredis and node-redis. Transient are replies that change by themselves (`LOADING`, `BUSY`,
 * `TRYAGAIN`, `CLUSTERDOWN`, `MASTERDOWN`, `READONLY`, `NOREPLICAS`), connections that fail or break, a client that has
 * none at the moment, and transactions that lost to another client (`WatchError`). Every other reply is permanent, `OOM`
 * among them, and so is an error that has nothing to do with Redis. Never throws.
 *
 * It says nothing of whether the command was carried out: that is `mayHaveRun`.
 */
export function classifyRedisError(error: unknown): ErrorClass {
  if (isRetryError(error)) return classifyError(error);
  for (const each of [error, ...beneath(error)]) {
    const found = classOfReply(each) ?? classOfFault(each) ?? byCode(each);
    if (found !== undefined) return found;
  }
  return read(error, 'name') === 'AbortError' ? 'cancelled' : 'permanent';
}

/**
 * True for an error after which nobody knows whether the command was carried out: the connection broke, or the time ran
 * out, after it may have been sent. False for a reply, which says that it was not, and where it was never sent.
 */
export function mayHaveRun(error: unknown): boolean {
  if (classOfReply(error) !== undefined) return read(read(error, 'constructor'), 'name') === 'MultiErrorReply';
  if (NEVER_SENT.has(kindOf(error)) || NEVER_SENT_TEXT.test(textOf(error))) return false;
  const syscall = read(error, 'syscall');
  return syscall !== 'connect' && syscall !== 'getaddrinfo';
}

/** Faults by the names of the classes of both clients, where they have one. */
const FAULTS: ReadonlyMap<unknown, ErrorClass> = new Map<unknown, ErrorClass>([
  ['MaxRetriesPerRequestError', 'transient'],
  ['ClusterAllFailedError', 'transient'],
  ['WatchError', 'transient'],
  ['ConnectionTimeoutError', 'transient'],
  ['SocketTimeoutError', 'transient'],
  ['SocketTimeoutDuringMaintenanceError', 'transient'],
  ['CommandTimeoutDuringMaintenanceError', 'transient'],
  ['SocketClosedUnexpectedlyError', 'transient'],
  ['ClientOfflineError', 'transient'],
  ['RootNodesUnavailableError', 'transient'],
  ['MaxCommandRedirectionsError', 'transient'],
  // The client was closed on purpose, and stays so.
  ['ClientClosedError', 'permanent'],
  ['DisconnectsClientError', 'permanent'],
]);
/** Where ioredis, and the queue and the timer of node-redis, throw an `Error` without a name. */
const FAULT_TEXT =
  /^(Connection is closed\.|Stream isn't writeable|Command timed out|Socket timeout|Command aborted due to connection close|Command queue state error|The queue is full)/;

const NEVER_SENT: ReadonlySet<unknown> = new Set([
  'WatchError',
  'ConnectionTimeoutError',
  'ClientOfflineError',
  'ClientClosedError',
  'RootNodesUnavailableError',
  'CommandTimeoutDuringMaintenanceError',
]);
const NEVER_SENT_TEXT = /^(Stream isn't writeable|The queue is full)/;

const codes = classifyByCode({
  transient: [
    'ECONNREFUSED',
    'ECONNRESET',
    'ECONNABORTED',
    'EPIPE',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'EHOSTDOWN',
    'ENETUNREACH',
    'ENETDOWN',
    'ENOTFOUND',
    'EAI_AGAIN',
    'NOTCONNECTED',
  ],
  // Tells "not in the table" from "permanent": nothing in the table is cancelled.
  otherwise: 'cancelled',
  properties: ['code'],
  causes: false,
});

function byCode(error: unknown): ErrorClass | undefined {
  const found = codes(error, { attempt: 1 });
  return found === 'transient' ? found : undefined;
}

function classOfFault(error: unknown): ErrorClass | undefined {
  const kind = kindOf(error);
  // Of node-redis it has the name "Error" and no code: a command of its own timed out, or was aborted.
  if (kind === 'TimeoutError' && read(error, 'name') === 'Error') return 'transient';
  if (kind === 'AbortError' && read(error, 'name') === 'Error') return 'cancelled';
  return FAULTS.get(kind) ?? (FAULT_TEXT.test(textOf(error)) ? 'transient' : undefined);
}

function beneath(error: unknown): readonly unknown[] {
  const named = [read(error, 'lastNodeError'), read(error, 'socketError')].filter(each => each !== undefined);
  return [...named, ...causesOf(error)];
}

function kindOf(error: unknown): unknown {
  return read(read(error, 'constructor'), 'name');
}

function textOf(error: unknown): string {
  const message = read(error, 'message');
  return typeof message === 'string' ? message.slice(0, 200) : '';
}
