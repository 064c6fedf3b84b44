import { causesOf } from '../../engine/causes.ts';
import { classifyError } from '../../engine/classify.ts';
import { isRetryError } from '../../engine/errors.ts';
import type { ErrorClass } from '../../engine/outcome.ts';
import { read } from '../../engine/read.ts';
import { nameOfStatus, type StatusName } from './statuses.ts';

/**
 * Classifies errors of gRPC by the number in their `code`: `UNAVAILABLE` is transient, `RESOURCE_EXHAUSTED` throttled,
 * `CANCELLED` cancelled, every other status permanent, and so is what is no error of gRPC. A message that is too large for
 * one of the two sides has `RESOURCE_EXHAUSTED` too, and is permanent. Never throws.
 *
 * For `retryOn` where no interceptor can be used; it serves any client whose errors have the numbers of gRPC.
 *
 * @example
 * ```ts
 * const getUser = withRetry((id: string) => users.getUser({ id }), { retryOn: classifyGrpcError });
 * ```
 */
export function classifyGrpcError(error: unknown): ErrorClass {
  return classifyStatus(error, RETRYABLE_STATUSES);
}

/** Statuses that are worth another attempt: the one of the examples of gRPC's own retries, and that of a full server. */
export const RETRYABLE_STATUSES: readonly StatusName[] = Object.freeze(['UNAVAILABLE', 'RESOURCE_EXHAUSTED']);

/** The same with statuses of one's own. */
export function classifyStatus(error: unknown, retryable: readonly StatusName[]): ErrorClass {
  if (isRetryError(error)) return classifyError(error);
  for (const each of [error, ...causesOf(error)]) {
    const status = nameOfStatus(read(each, 'code'));
    if (status !== undefined) return classOf(status, each, retryable);
  }
  return 'permanent';
}

/**
 * True where grpc-js itself says that the request never left this process, for want of a connection or an address: then
 * any method may be called again.
 */
export function wasNeverSent(error: unknown): boolean {
  return nameOfStatus(read(error, 'code')) === 'UNAVAILABLE' && NEVER_SENT.test(String(read(error, 'details')));
}

const NEVER_SENT = /^(No connection established|Name resolution failed)/;
const TOO_LARGE = /larger than (max|\d)/;

function classOf(status: StatusName, error: unknown, retryable: readonly StatusName[]): ErrorClass {
  if (status === 'CANCELLED') return 'cancelled';
  if (!retryable.includes(status)) return 'permanent';
  if (status !== 'RESOURCE_EXHAUSTED') return 'transient';
  const details = read(error, 'details');
  return typeof details === 'string' && TOO_LARGE.test(details) ? 'permanent' : 'throttled';
}
