import { ALREADY_RETRIED, RETRY_STOP, SHOULD_RETRY } from '../../engine/server-hints.ts';

/**
 * Tells the caller of this service not to retry: `x-should-retry: false`, which many clients know, and `retry-stop:
 * already_retried`, by which ours knows why. Does nothing to a response whose headers have been sent.
 *
 * @param response a response of `node:http` or Express, a reply of Fastify, or `Headers`
 * @throws TypeError when it is none of these
 */
export function refuseRetries(response: RefusableResponse): void {
  const { headersSent, setHeader, header, set } = response;
  if (headersSent === true) return;
  // Express has all three; the one of Node is the one that means the same everywhere.
  const write = setHeader ?? header ?? set;
  if (typeof write !== 'function') {
    throw new TypeError('refuseRetries: the argument must be a response, a reply of Fastify or Headers');
  }
  write.call(response, SHOULD_RETRY, 'false');
  write.call(response, RETRY_STOP, ALREADY_RETRIED);
}

/** What is used of a response. */
export interface RefusableResponse {
  readonly headersSent?: boolean;
  setHeader?(name: string, value: string): unknown;
  header?(name: string, value: string): unknown;
  set?(name: string, value: string): unknown;
}
