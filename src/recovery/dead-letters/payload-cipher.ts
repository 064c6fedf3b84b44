import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type Check, checkOptions, ofType } from '../../engine/option-checks.ts';
import type { SealedPayload } from './stored-payload.ts';

/**
 * Encrypts payloads before they reach a store. `aes256Gcm` is one; an object of your own may ask a key service. `bound`
 * is what the text belongs to: it must open only together with the same bytes.
 */
export interface PayloadCipher {
  seal(text: string, bound: string): SealedPayload | PromiseLike<SealedPayload>;
  /** Throws or rejects when the key is missing, or the text was changed. */
  open(payload: SealedPayload, bound: string): string | PromiseLike<string>;
}

/** The keys of {@link aes256Gcm}. */
export interface Aes256GcmOptions {
  /** The key that new payloads are sealed with: one of `keys`. */
  readonly keyId: string;
  /** Every key that is still needed, by its id: 32 bytes each. An id stands beside the payload in clear text. */
  readonly keys: Readonly<Record<string, Uint8Array>>;
}

/**
 * Encryption by AES-256-GCM with a fresh nonce for each payload. The letter's id, operation and version are authenticated
 * with it, so that a payload cannot be moved to another letter. To change the key, add a new one and name it in `keyId`;
 * take the old one away once no letter needs it.
 *
 * @throws TypeError or RangeError, naming the option; never a key
 *
 * @example
 * ```ts
 * const key = Buffer.from(process.env.DEAD_LETTER_KEY ?? '', 'base64');
 * const queue = new DeadLetterQueue({ name: 'payments', store, cipher: aes256Gcm({ keyId: '2026-11', keys: { '2026-11': key } }) });
 * ```
 */
export function aes256Gcm(options: Aes256GcmOptions): PayloadCipher {
  checkOptions('aes256Gcm options', options, CHECKS);
  const keys = new Map(Object.entries(options.keys ?? {}).map(([id, key]) => [id, Buffer.from(key)]));
  const { keyId } = options;
  keyFor(keys, keyId);
  return {
    seal: (text, bound) => {
      const iv = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, keyFor(keys, keyId), iv, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(bound));
      const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]).toString('base64');
      const tag = cipher.getAuthTag().toString('base64');
      return { kind: 'sealed', algorithm: ALGORITHM, keyId, iv: iv.toString('base64'), tag, data };
    },
    open: (payload, bound) => {
      if (payload.algorithm !== ALGORITHM) throw new TypeError(`The payload is not sealed by ${ALGORITHM}`);
      const iv = Buffer.from(payload.iv, 'base64');
      const decipher = createDecipheriv(ALGORITHM, keyFor(keys, payload.keyId), iv, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(bound));
      decipher.setAuthTag(Buffer.from(payload.tag, 'base64'));
      return decipher.update(payload.data, 'base64', 'utf8') + decipher.final('utf8');
    },
  };
}

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

function keyFor(keys: ReadonlyMap<string, Buffer>, id: string): Buffer {
  const key = keys.get(id);
  if (key === undefined) throw new RangeError(`keyId is ${JSON.stringify(id)}; it must be one of keys`);
  return key;
}

const CHECKS: Readonly<Record<keyof Aes256GcmOptions, Check>> = {
  keyId: ofType(
    'a string of 1 to 100 characters',
    v => typeof v === 'string',
    v => (v as string).length > 0 && (v as string).length <= 100,
  ),
  keys: (_, value) => {
    if (typeof value !== 'object' || value === null) throw new TypeError('keys must be an object of keys by their ids');
    for (const [id, key] of Object.entries(value)) {
      if (!ArrayBuffer.isView(key) || key.byteLength !== KEY_BYTES) {
        throw new RangeError(`keys[${JSON.stringify(id)}] must be ${KEY_BYTES} bytes`);
      }
    }
  },
};
