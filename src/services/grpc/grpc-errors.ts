import type { Metadata, StatusObject } from '@grpc/grpc-js';
import type { RetryErrorCode } from '../../engine/errors.ts';
import { rememberGivenUp } from '../../engine/nesting.ts';
import { read } from '../../engine/read.ts';
import { runtime } from '../../engine/runtime.ts';
import { nameOfStatus } from './statuses.ts';

/** The failure of one attempt, as spans, hooks and logs see it, and as the `cause` of the error that the caller gets. */
export class GrpcStatusError extends Error {
  /** The name of the status, so that it names the failure wherever there is one word for it. */
  override readonly name: string;
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;

  constructor({ code, details, metadata }: StatusObject) {
    const name = nameOfStatus(code) ?? 'UNKNOWN';
    super(`${code} ${name}: ${details}`);
    this.name = name;
    this.code = code;
    this.details = details;
    this.metadata = metadata;
  }
}

/** The status with which a call ends that this library has ended: no server has answered it. */
export function statusOf(error: unknown): { readonly code: number; readonly details: string } {
  const code = CODES[read(error, 'code') as RetryErrorCode] ?? UNKNOWN;
  const message = read(error, 'message');
  return { code, details: typeof message === 'string' ? message : 'The call could not be made' };
}

const UNKNOWN = 2;
const CODES: Readonly<Partial<Record<RetryErrorCode, number>>> = {
  ERR_RETRY_ATTEMPT_TIMEOUT: 4,
  ERR_RETRY_DEADLINE_EXCEEDED: 4,
  ERR_RETRY_RATE_LIMITED: 8,
  ERR_RETRY_BULKHEAD_FULL: 8,
  ERR_RETRY_CIRCUIT_OPEN: 14,
};

/** What grpc-js tells of its own retries, in the headers or the trailers, and every client of the attempts before. */
export const PREVIOUS_ATTEMPTS = 'grpc-previous-rpc-attempts';

/**
 * Remembers that grpc-js has retried within the present attempt, as a `retryPolicy` in its service config makes it do: to
 * the engine that is a layer nearer to the failure, and under `nested: 'inner'` nobody retries above it.
 *
 * @param told what we have told of the attempts before; a server may repeat it
 */
export function noteClientRetries(error: object, metadata: readonly (Metadata | undefined)[], told: number): void {
  const counts = metadata.flatMap(each => each?.get(PREVIOUS_ATTEMPTS) ?? []).map(Number);
  if (!counts.some(count => count > 0 && count !== told)) return;
  // Later than the start of the attempt, as a call inside it would be.
  const startedAs = ++runtime.sequence;
  rememberGivenUp({ startedAs, attemptStartedAs: startedAs }, error, undefined);
}
