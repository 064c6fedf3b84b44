import { headerValues } from './header-values.ts';
import { isObject } from './read.ts';

/**
 * What the server says with `x-should-retry`: `false` when another attempt is not wanted, `true` when it is worth while
 * in spite of the status, undefined when it says neither. Of both, `false` counts. Never throws.
 */
export function saysRetry(failure: unknown): boolean | undefined {
  return inHeaders(failure, shouldRetry);
}

/**
 * True when the service that was called says that it has retried already and given up, by the header `retry-stop`.
 * Never throws.
 */
export function saysAlreadyRetried(failure: unknown): boolean {
  return (
    inHeaders(failure, headers => headerValues(headers, RETRY_STOP).includes(ALREADY_RETRIED) || undefined) ?? false
  );
}

/** The header by which a service says why it should not be asked again, and what it says. */
export const RETRY_STOP = 'retry-stop';
export const ALREADY_RETRIED = 'already_retried';
export const SHOULD_RETRY = 'x-should-retry';

/**
 * What `look` finds in the headers of a failure, or of a result that was refused: its own, those of its response, or the
 * metadata of gRPC, the first that has something. For a failure without any of them it costs four property reads.
 */
export function inHeaders<T>(failure: unknown, look: (headers: object) => T | undefined): T | undefined {
  try {
    const { headers, response, $response, metadata } = failure as Carrier;
    return (
      lookIn(headers, look) ??
      lookIn(response?.headers, look) ??
      lookIn($response?.headers, look) ??
      lookIn(metadata, look)
    );
  } catch {
    // Nothing was thrown that can be read, or nothing at all.
    return undefined;
  }
}

/** The answer of {@link saysRetry} in one set of headers. */
export function shouldRetry(headers: object): boolean | undefined {
  const said = headerValues(headers, SHOULD_RETRY);
  if (said.includes('false')) return false;
  return said.includes('true') || undefined;
}

interface Carrier {
  readonly headers?: unknown;
  readonly response?: { readonly headers?: unknown } | null;
  /** Where the AWS SDK keeps the response. */
  readonly $response?: { readonly headers?: unknown } | null;
  readonly metadata?: unknown;
}

function lookIn<T>(headers: unknown, look: (headers: object) => T | undefined): T | undefined {
  return isObject(headers) ? look(headers) : undefined;
}
