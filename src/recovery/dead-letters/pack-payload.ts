import { inTime, type TimeLimit } from './in-time.ts';
import type { PayloadCipher } from './payload-cipher.ts';
import { toPlainJson } from './plain-json.ts';
import type { Alteration, Json, Omission, SealedPayload, StoredPayload } from './stored-payload.ts';

/** How payloads are made ready for a store. */
export interface PayloadTerms {
  /** Larger payloads are replaced by a marker. */
  readonly maxBytes: number;
  /** Undefined where nothing is to be taken out. */
  readonly redact: PayloadRedactor | undefined;
  readonly cipher: PayloadCipher | undefined;
  /** How long the encryption may take, where nobody else sees to that. */
  readonly sealing?: TimeLimit;
}

/** Takes out of the list of arguments what a store must not see. It gets plain JSON that it may not change. */
export type PayloadRedactor = (payload: Json) => unknown;

/**
 * Makes arguments ready for a store: plain JSON, redacted, encrypted, no larger than allowed. Never rejects: where one
 * of these fails, a marker takes the place of the payload, since half of it would be taken for all of it.
 */
export async function packPayload(
  args: readonly unknown[],
  version: number,
  bound: string,
  terms: PayloadTerms,
): Promise<StoredPayload> {
  const { maxBytes, cipher, sealing } = terms;
  const omitted = (why: Omission, bytes: number): StoredPayload => ({
    kind: 'omitted',
    why,
    version,
    bytes,
    altered: [],
  });
  const packed = textOf(args, terms);
  if ('why' in packed) return omitted(packed.why, packed.bytes);
  const { json, altered } = packed;
  const bytes = Buffer.byteLength(json);
  if (bytes > maxBytes) return omitted('too_large', bytes);
  if (cipher === undefined) return { kind: 'plain', json, version, bytes, altered };
  try {
    const seal = (): SealedPayload | PromiseLike<SealedPayload> => cipher.seal(json, bound);
    const sealed = await (sealing === undefined ? seal() : inTime(seal, sealing, 'The encryption'));
    return { ...sealed, version, bytes, altered };
  } catch {
    return omitted('sealing_failed', bytes);
  }
}

/** What a sealed payload belongs to. */
export function boundTo(id: string, operation: string, version: number): string {
  return JSON.stringify([id, operation, version]);
}

type Packed =
  | { readonly json: string; readonly altered: readonly Alteration[] }
  | { readonly why: Omission; readonly bytes: number };

function textOf(args: readonly unknown[], { maxBytes, redact }: PayloadTerms): Packed {
  try {
    const plain = toPlainJson(withoutTail(args), maxBytes);
    if (!plain.fits) return { why: 'too_large', bytes: plain.bytes };
    const altered = [...plain.altered];
    const json = JSON.stringify(plain.value);
    if (redact === undefined) return { json, altered };
    const clean = redactedText(redact, plain.value, maxBytes);
    return typeof clean === 'object'
      ? clean
      : { json: clean, altered: clean === json ? altered : ['redacted', ...altered] };
  } catch {
    return { why: 'unreadable', bytes: 0 };
  }
}

function redactedText(
  redact: PayloadRedactor,
  value: Json,
  maxBytes: number,
): string | Exclude<Packed, { json: string }> {
  try {
    const clean = toPlainJson(redact(value), maxBytes);
    if (!clean.fits) return { why: 'too_large', bytes: clean.bytes };
    return Array.isArray(clean.value) ? JSON.stringify(clean.value) : { why: 'redaction_failed', bytes: 0 };
  } catch {
    return { why: 'redaction_failed', bytes: 0 };
  }
}

/** An argument that was left out and one that is undefined are the same to a function. */
function withoutTail(args: readonly unknown[]): readonly unknown[] {
  return args.slice(0, args.findLastIndex(arg => arg !== undefined) + 1);
}
