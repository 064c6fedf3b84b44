import { openPayload } from './open-payload.ts';
import { boundTo, type PayloadTerms, packPayload } from './pack-payload.ts';
import type { StoredCall } from './stored-call.ts';
import type { StoredPayload } from './stored-payload.ts';

/**
 * Makes arguments that were stored elsewhere ready for a letter of the same id: what is sealed stays so, and everything else
 * is treated as arguments are. Never rejects.
 */
export async function packStored(
  { id, operation, payload }: Pick<StoredCall, 'id' | 'operation' | 'payload'>,
  terms: PayloadTerms,
): Promise<StoredPayload> {
  const { version, altered } = payload;
  if (payload.kind === 'omitted') return payload;
  if (payload.kind === 'sealed') {
    const bytes = Buffer.byteLength(payload.data, 'base64');
    return bytes <= terms.maxBytes ? payload : { kind: 'omitted', why: 'too_large', version, bytes, altered };
  }
  const opened = await openPayload({ id, operation, payload }, undefined);
  if (!('args' in opened)) return { kind: 'omitted', why: 'damaged', version, bytes: 0, altered };
  const packed = await packPayload(opened.args, version, boundTo(id, operation, version), terms);
  // What had been altered before is so still.
  return { ...packed, altered: [...new Set([...altered, ...packed.altered])] };
}
