import { isAttemptNumber, parseAttemptNumber, toldNumber } from './attempt-number.ts';
import { type AttemptNumbers, RETRY_ATTEMPT } from './outgoing-headers.ts';

/**
 * A `baggage` header (W3C Baggage) with the attempt in it, beside what it held before: `retry-attempt=2;max=4`. Where
 * the header would pass the limits of the specification, 64 members or 8192 bytes, only what it held beside an attempt
 * comes back: the attempt of whoever called this service is not that of its own call.
 *
 * Services on the way pass baggage on, also those that know nothing of retries; the headers of {@link retryHeaders} end
 * at the next one.
 *
 * @throws RangeError when `attempt.number` is not an integer from 1
 */
export function retryBaggage(attempt: AttemptNumbers, existing: string = ''): string {
  const { maxAttempts } = attempt;
  const number = toldNumber(attempt.number);
  const member = `${RETRY_ATTEMPT}=${number}${isAttemptNumber(maxAttempts) ? `;max=${maxAttempts}` : ''}`;
  const others = membersOf(existing).filter(other => keyOf(other) !== RETRY_ATTEMPT);
  const baggage = [...others, member].join(',');
  const isTooMuch = others.length >= MAX_MEMBERS || Buffer.byteLength(baggage) > MAX_BYTES;
  return isTooMuch ? others.join(',') : baggage;
}

/** The attempt that a `baggage` header tells; undefined when it tells none, or several. */
export function attemptInBaggage(baggage: string): AttemptInBaggage | undefined {
  if (baggage.length > MAX_BYTES) return undefined;
  const [member, ...more] = membersOf(baggage).filter(other => keyOf(other) === RETRY_ATTEMPT);
  if (member === undefined || more.length > 0) return undefined;
  const [pair = '', ...properties] = member.split(';').map(part => part.trim());
  const attempt = parseAttemptNumber(pair.slice(pair.indexOf('=') + 1).trim());
  if (attempt === undefined) return undefined;
  const maximum = properties.find(property => property.startsWith('max='));
  return { attempt, maxAttempts: parseAttemptNumber(maximum?.slice('max='.length)) };
}

/** The attempt of whoever sent a `baggage` header. */
export interface AttemptInBaggage {
  /** From 1. */
  readonly attempt: number;
  /** Undefined where the caller did not say. */
  readonly maxAttempts: number | undefined;
}

const MAX_MEMBERS = 64;
const MAX_BYTES = 8192;

function membersOf(baggage: string): string[] {
  return (
    baggage
      .split(',')
      .map(member => member.trim())
      // Nothing may become a header of its own.
      .filter(member => member !== '' && !/[\r\n\0]/.test(member))
  );
}

function keyOf(member: string): string {
  return (member.split('=', 1)[0] ?? '').trim();
}
