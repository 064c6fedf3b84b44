import { randomBytes } from 'node:crypto';

/**
 * A new UUID of version 7 (RFC 9562): `wallNow` in milliseconds since 1970, a count of those made in the same millisecond by this
 * process, so that they sort in the order in which they were made, and 62 random bits.
 */
export function newLetterId(wallNow: number): string {
  const time = Math.max(0, Math.floor(wallNow));
  latest = time === latest.time ? { time, count: Math.min(latest.count + 1, MOST) } : { time, count: 0 };
  const bytes = randomBytes(16);
  bytes.writeUIntBE(time, 0, 6);
  bytes.writeUInt16BE(0x7000 | latest.count, 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  const digits = bytes.toString('hex');
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join(
    '-',
  );
}

/** True for a UUID of any version. */
export function isUuid(text: string): boolean {
  return /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text);
}

let latest = { time: -1, count: 0 };
/** What twelve bits hold; what is made beyond that in one millisecond is in no order. */
const MOST = 0xfff;
