import type { Clock } from './clock.ts';
import { reportFault } from './faults.ts';

/**
 * Reads from a failure how long the server asks the client to stay away, in milliseconds; undefined when it says
 * nothing, or nothing that can be understood.
 *
 * Looked at are `retryAfterMs` of the error, and the headers `retry-after-ms` and `Retry-After` (RFC 9110 section
 * 10.2.3: seconds, or one of three date formats) of the error, its `response`, or the result itself. A date in the
 * past is 0.
 */
export function readRetryAfter(failure: unknown, clock: Pick<Clock, 'wallNow'>): number | undefined {
  try {
    const { retryAfterMs, headers, response } = failure as Carrier;
    if (typeof retryAfterMs === 'number' && retryAfterMs >= 0) return retryAfterMs;
    return readHeaders(headers, clock) ?? readHeaders(response?.headers, clock);
  } catch {
    // Nothing was thrown that can be read, or nothing at all.
    return undefined;
  }
}

/** What a policy lets the server say of the next delay, in milliseconds; undefined for nothing. */
export function readHint(
  policy: { readonly retryAfter: boolean | ((failure: unknown) => number | undefined); readonly clock: Clock },
  failure: unknown,
): number | undefined {
  const { retryAfter } = policy;
  if (typeof retryAfter === 'boolean') return retryAfter ? readRetryAfter(failure, policy.clock) : undefined;
  try {
    const hint = retryAfter(failure);
    return typeof hint === 'number' && hint >= 0 ? hint : undefined;
  } catch (fault) {
    reportFault('hook', fault);
    return undefined;
  }
}

interface Carrier {
  readonly retryAfterMs?: unknown;
  readonly headers?: unknown;
  readonly response?: { readonly headers?: unknown } | null;
}

function readHeaders(headers: unknown, clock: Pick<Clock, 'wallNow'>): number | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const ms = readHeader(headers, 'retry-after-ms');
  if (ms !== undefined && DIGITS.test(ms)) return Number(ms);
  const value = readHeader(headers, 'retry-after');
  return value === undefined ? undefined : parseRetryAfter(value, clock);
}

const DIGITS = /^\d{1,10}$/;
const IMF_FIXDATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const RFC850_DATE = /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/;
const ASCTIME_DATE = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;

function parseRetryAfter(value: string, clock: Pick<Clock, 'wallNow'>): number | undefined {
  if (DIGITS.test(value)) return Number(value) * 1000;
  const date = parseHttpDate(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - clock.wallNow());
}

function parseHttpDate(value: string): number {
  if (IMF_FIXDATE.test(value) || RFC850_DATE.test(value)) return Date.parse(value);
  // asctime carries no zone, and Date.parse would take the local one.
  return ASCTIME_DATE.test(value) ? Date.parse(`${value} GMT`) : Number.NaN;
}

function readHeader(headers: object, name: string): string | undefined {
  const { get } = headers as { get?: unknown };
  const value: unknown = typeof get === 'function' ? get.call(headers, name) : ownHeader(headers, name);
  return typeof value === 'string' ? value.trim() : undefined;
}

function ownHeader(headers: object, name: string): unknown {
  const key = Object.keys(headers).find(candidate => candidate.toLowerCase() === name);
  return key === undefined ? undefined : (headers as Record<string, unknown>)[key];
}
