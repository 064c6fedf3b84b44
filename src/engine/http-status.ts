/**
 * The HTTP status of a failure: its own, that of its `response` (axios, got), or that of its `$metadata` (AWS SDK).
 * Throws what the getters of the failure throw.
 *
 * Each property is read directly: this is on the path of every failure, and a generic reader costs several times as
 * much.
 */
export function httpStatus(failure: MayHaveStatus): number | undefined {
  const status = ownStatus(failure) ?? ownStatus(failure.response);
  if (status !== undefined) return status;
  const code = failure.$metadata?.httpStatusCode;
  return typeof code === 'number' ? code : undefined;
}

/** Where a failure may carry its status. Anything at all may be thrown, so any of it may be anything. */
export interface MayHaveStatus extends Statuses {
  readonly response?: Statuses | null | undefined;
  readonly $metadata?: { readonly httpStatusCode?: unknown } | null | undefined;
}

interface Statuses {
  readonly status?: unknown;
  readonly statusCode?: unknown;
}

function ownStatus(carrier: Statuses | null | undefined): number | undefined {
  if (typeof carrier?.status === 'number') return carrier.status;
  return typeof carrier?.statusCode === 'number' ? carrier.statusCode : undefined;
}
