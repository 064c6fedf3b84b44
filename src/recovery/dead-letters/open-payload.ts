import { boundTo } from './pack-payload.ts';
import type { PayloadCipher } from './payload-cipher.ts';
import type { StoredCall } from './stored-call.ts';
import type { Omission } from './stored-payload.ts';

/** The arguments of a letter; or why they cannot be had: they are not there, or cannot be decrypted here. */
export type OpenedPayload =
  | { readonly args: readonly unknown[] }
  | { readonly missing: Omission }
  | { readonly locked: 'no_cipher' | 'wrong_key' };

/** Reads the arguments of a letter. Never rejects. They are plain JSON: no class comes back to life. */
export async function openPayload(
  letter: Pick<StoredCall, 'id' | 'operation' | 'payload'>,
  cipher: PayloadCipher | undefined,
): Promise<OpenedPayload> {
  const { payload, id, operation } = letter;
  if (payload.kind === 'omitted') return { missing: payload.why };
  if (payload.kind === 'plain') return argumentsIn(payload.json);
  if (cipher === undefined) return { locked: 'no_cipher' };
  try {
    return argumentsIn(await cipher.open(payload, boundTo(id, operation, payload.version)));
  } catch {
    return { locked: 'wrong_key' };
  }
}

function argumentsIn(json: string): OpenedPayload {
  try {
    const args: unknown = JSON.parse(json, (key, value: unknown) => (key === '__proto__' ? undefined : value));
    return Array.isArray(args) ? { args } : { missing: 'damaged' };
  } catch {
    return { missing: 'damaged' };
  }
}
