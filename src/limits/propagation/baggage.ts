import { message } from '../../engine/option-checks.ts';
import { isAttemptNumber, parseAttemptNumber } from './attempt-number.ts';
import type { IncomingAttempt } from './incoming-attempt.ts';
import { type AttemptNumbers, RETRY_ATTEMPT } from './outgoing-headers.ts';

/**
 * A `baggage` header (W3C Baggage) with the attempt in it, beside what it held before: `retry-attempt=2;max=4`. Where
 * the header would pass the limits of the specification, 64 members or 8192 bytes, what it held comes back unchanged.
 *
 * @throws RangeError when `attempt.number` is not an integer from 1
 */
export function retryBaggage(attempt: AttemptNumbers, existing: string = ''): string {
  const { number, maxAttempts } = attempt;
  if (!isAttemptNumber(number)) throw new RangeError(message('attempt.number', number, 'an integer from 1 to 1000'));
  const member = `${RETRY_ATTEMPT}=${number}${isAttemptNumber(maxAttempts) ? `;max=${maxAttempts}` : ''}`;
  const others = membersOf(existing).filter(other => keyOf(other) !== RETRY_ATTEMPT);
  const baggage = [...others, member].join(',');
  return others.length >= MAX_MEMBERS || Buffer.byteLength(baggage) > MAX_BYTES ? existing : baggage;
}

/** The attempt that a `baggage` header tells; undefined when it tells none, or several. */
export function attemptInBaggage(baggage: string): IncomingAttempt | undefined {
  if (baggage.length > MAX_BYTES) return undefined;
  const [member, ...more] = membersOf(baggage).filter(other => keyOf(other) === RETRY_ATTEMPT);
  if (member === undefined || more.length > 0) return undefined;
  const [pair = '', ...properties] = member.split(';').map(part => part.trim());
  const attempt = parseAttemptNumber(pair.slice(pair.indexOf('=') + 1).trim());
  if (attempt === undefined) return undefined;
  const maximum = properties.find(property => property.startsWith('max='));
  return { attempt, maxAttempts: parseAttemptNumber(maximum?.slice('max='.length)), source: 'baggage' };
}

const MAX_MEMBERS = 64;
const MAX_BYTES = 8192;

function membersOf(baggage: string): string[] {
  return baggage
    .split(',')
    .map(member => member.trim())
    .filter(member => member !== '');
}

function keyOf(member: string): string {
  return (member.split('=', 1)[0] ?? '').trim();
}
