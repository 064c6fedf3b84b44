import { createHash } from 'node:crypto';
import { redactWithin } from '../../engine/redact.ts';
import { isUuid } from './letter-id.ts';
import type { PayloadTerms } from './pack-payload.ts';

/**
 * What a letter holds of an idempotency key: the key itself; or `sha256:` and the digest of it in 64 hexadecimal digits,
 * where the redactor would take something out of it or it is longer than 512 characters. Two keys stay two: cut or
 * redacted, they might become one, and the other side would take one call for a repetition of another.
 *
 * Where nothing is redacted the key stays as it is, as long as it is no larger than a payload may be.
 */
export function storedKey(key: string, { redact, maxBytes }: Pick<PayloadTerms, 'redact' | 'maxBytes'>): string {
  const isKept = redact === undefined ? Buffer.byteLength(key) <= maxBytes : isHarmless(key);
  return isKept ? key : `sha256:${digestOf(key)}`;
}

/** The longest key that is kept, in characters. */
const LONGEST_KEY = 512;

function isHarmless(key: string): boolean {
  return isUuid(key) || redactWithin(key, LONGEST_KEY) === key;
}

/** Of the UTF-8, as everybody would compute it; halves of surrogate pairs would all be the same in that. */
function digestOf(key: string): string {
  return createHash('sha256')
    .update(key, key.isWellFormed() ? 'utf8' : 'utf16le')
    .digest('hex');
}
