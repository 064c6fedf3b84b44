import type { Clock } from './clock.ts';
import { reportFault } from './faults.ts';
import { headerValues } from './header-values.ts';
import { parseHttpDate } from './http-date.ts';
import { httpStatus, type MayHaveStatus } from './http-status.ts';
import { inHeaders, shouldRetry } from './server-hints.ts';
import { handleStrayPromise } from './stray-promise.ts';

/**
 * Reads from a failure how long the server asks the client to stay away, in milliseconds; undefined when it says
 * nothing, or nothing that can be understood. `Infinity` says "never again": longer than every `maxDelay`, so it stops
 * the call, and no other value has to be carried for it. Never throws.
 *
 * Looked at are `retryAfterMs` of the error, and then the headers of the error, its response, or the result itself. The
 * first of these that can be understood counts, and where it was sent several times the longest:
 *
 * 1. `grpc-retry-pushback-ms` (gRFC A6): milliseconds; negative, several or not understood is `Infinity`
 * 2. `x-should-retry: false`: `Infinity`
 * 3. `retry-after-ms`, `x-ms-retry-after-ms`, `x-amz-retry-after`: milliseconds
 * 4. `Retry-After` (RFC 9110 section 10.2.3): seconds, or one of three date formats; a date in the past is 0
 * 5. `RateLimit` where nothing remains (`r=0;t=` or `remaining=0, reset=`): seconds
 * 6. after status 429 or 503, or with nothing remaining: `RateLimit-Reset` and `X-RateLimit-Reset`: seconds, or a time
 *    since 1970 in seconds or milliseconds
 */
export function readRetryAfter(failure: unknown, clock: Pick<Clock, 'wallNow'>): number | undefined {
  try {
    const { retryAfterMs } = failure as { readonly retryAfterMs?: unknown };
    if (typeof retryAfterMs === 'number' && retryAfterMs >= 0) return retryAfterMs;
  } catch {
    return undefined;
  }
  return inHeaders(failure, headers => hintIn(headers, failure as MayHaveStatus, clock.wallNow()));
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
    handleStrayPromise('hook', hint);
    return typeof hint === 'number' && hint >= 0 ? hint : undefined;
  } catch (fault) {
    reportFault('hook', fault);
    return undefined;
  }
}

function hintIn(headers: object, failure: MayHaveStatus, now: number): number | undefined {
  const [pushback, more] = headerValues(headers, 'grpc-retry-pushback-ms');
  if (pushback !== undefined) return more === undefined && INT32.test(pushback) ? Number(pushback) : Infinity;
  if (shouldRetry(headers) === false) return Infinity;
  return longestOf(headers, DELAYS, now) ?? (isLimited(headers, failure) ? longestOf(headers, RESETS, now) : undefined);
}

/** Milliseconds that a value asks for, or NaN for one that is not understood. */
type Parse = (value: string, now: number) => number;

const DELAYS: readonly (readonly [name: string, parse: Parse])[] = [
  ['retry-after-ms', parseMilliseconds],
  ['x-ms-retry-after-ms', parseMilliseconds],
  ['x-amz-retry-after', parseMilliseconds],
  ['retry-after', parseRetryAfter],
  ['ratelimit', parseRateLimit],
];
/** Headers that may come with every response, and then say nothing of the next attempt. */
const RESETS: typeof DELAYS = [
  ['ratelimit-reset', parseReset],
  ['x-ratelimit-reset', parseReset],
];

function longestOf(headers: object, kinds: typeof DELAYS, now: number): number | undefined {
  for (const [name, parse] of kinds) {
    // fetch joins what was sent several times by ", ", which dates have too.
    const values = headerValues(headers, name).flatMap(value => [value, ...value.split(', ')]);
    const waits = values.map(value => parse(value.trim(), now)).filter(ms => ms >= 0);
    if (waits.length > 0) return Math.max(...waits);
  }
  return undefined;
}

function isLimited(headers: object, failure: MayHaveStatus): boolean {
  const status = httpStatus(failure);
  return (
    status === 429 ||
    status === 503 ||
    ['ratelimit-remaining', 'x-ratelimit-remaining'].some(name => headerValues(headers, name).includes('0'))
  );
}

/** `Number` alone would take "", "0x10", "1e9" and "Infinity". */
const DIGITS = /^\d{1,10}$/;
/** Without leading zeros. That ten digits can be a little more is no matter: that is beyond every `maxDelay`. */
const INT32 = /^(0|[1-9]\d{0,9})$/;

function parseMilliseconds(value: string): number {
  return DIGITS.test(value) ? Number(value) : Number.NaN;
}

function parseRetryAfter(value: string, now: number): number {
  return DIGITS.test(value) ? Number(value) * 1000 : Math.max(0, parseHttpDate(value) - now);
}

/** Servers do not agree what the number means, so its size tells: no limit lasts three years, and no time is before 1973. */
function parseReset(value: string, now: number): number {
  const number = /^\d{1,13}$/.test(value) ? Number(value) : Number.NaN;
  if (number < 1e8) return number * 1000;
  return Math.max(0, (number < 1e11 ? number * 1000 : number) - now);
}

/** A member of the list that has nothing left, as the drafts of the IETF from 8 on write it, or the one list of draft 7. */
function parseRateLimit(value: string): number {
  return Number(/(?:;\s*r=0;\s*t=|remaining=0, reset=)(\d{1,10})(?!\d)/.exec(value)?.[1]) * 1000;
}
