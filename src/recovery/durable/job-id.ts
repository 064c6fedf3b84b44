import { createHash } from 'node:crypto';

/**
 * The identifier of the job for the wait after attempt `attempts` of a call: a UUID (of version 8) that is the same whoever
 * makes it. A worker that died after it had handed the call on is run again, and must not hand it on twice.
 */
export function jobIdOf(callId: string, attempts: number): string {
  const bytes = createHash('sha256')
    .update(JSON.stringify([callId, attempts]))
    .digest();
  bytes.writeUInt8(0x80 | (bytes.readUInt8(6) & 0x0f), 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  const digits = bytes.toString('hex', 0, 16);
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join(
    '-',
  );
}
