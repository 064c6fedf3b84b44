import { read } from '../../engine/read.ts';
import { isPlatformatic, kafkaCode, MAX_DEPTH, parts, unwrapped } from './kafka-error.ts';
import { NETWORK_CODES, NOT_CONNECTED_CODES, UNKNOWN_OUTCOME_CODES } from './protocol-errors.ts';

/**
 * True when a publish failed in a way that leaves open whether the message is in the log: the request timed out, the
 * connection was lost before the answer, or too few replicas confirmed what the leader had written. A retry may then
 * publish it a second time. False where it is known that nothing was written. Never throws.
 */
export function mayBePublished(error: unknown): boolean {
  return isOpen(error, MAX_DEPTH);
}

function isOpen(error: unknown, depth: number): boolean {
  const inner = unwrapped(error);
  const members = depth > 0 ? parts(inner) : [];
  if (members.length > 0) return members.some(part => isOpen(part, depth - 1));
  const code = kafkaCode(inner);
  if (code !== undefined) return UNKNOWN_OUTCOME_CODES.has(code);
  const system = systemCode(inner);
  if (NOT_CONNECTED_CODES.has(system)) return false;
  return (
    NETWORK_CODES.has(system) ||
    OPEN_CODES.has(read(inner, 'code')) ||
    OPEN_NAMES.has(read(inner, 'name')) ||
    (isPlatformatic(inner) && read(inner, 'canRetry') === true)
  );
}

/** The code of the system error, also where the client has made it the cause of its own. */
function systemCode(error: unknown): unknown {
  const code = read(error, 'code');
  return NETWORK_CODES.has(code) ? code : read(read(error, 'cause'), 'code');
}

/** Our own: an attempt or a call that ran out of time while the client was still at it. And a timeout, or a lost connection, of @platformatic/kafka. */
const OPEN_CODES = new Set<unknown>([
  'ERR_RETRY_ATTEMPT_TIMEOUT',
  'ERR_RETRY_DEADLINE_EXCEEDED',
  'PLT_KFK_NETWORK',
  'PLT_KFK_TIMEOUT',
]);
const OPEN_NAMES = new Set<unknown>([
  'KafkaJSRequestTimeoutError',
  'KafkaJSConnectionClosedError',
  'KafkaJSConnectionError',
]);
