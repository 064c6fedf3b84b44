import { type Aes256GcmOptions, aes256Gcm, type PayloadCipher } from 'retryscope/dead-letters';
import { readText } from '../read-text.ts';
import { UsageError } from '../usage-error.ts';

/** Where the keys of sealed payloads are. A key itself is never an argument: those can be seen in the list of processes. */
export interface KeyOptions {
  /** Names of environment variables. */
  readonly keyEnv?: readonly string[];
  readonly keyFile?: readonly string[];
}

/**
 * What opens payloads that were sealed by `aes256Gcm` with any of the keys, whatever id they have; undefined where there is
 * no key.
 *
 * @throws UsageError when a key is not there or is none; no key is in its message
 */
export function cipherFrom({ keyEnv = [], keyFile = [] }: KeyOptions): PayloadCipher | undefined {
  const keys = [...keyEnv.map(fromVariable), ...keyFile.map(fromFile)];
  if (keys.length === 0) return undefined;
  return {
    seal: () => {
      throw new TypeError('This command seals nothing');
    },
    // A wrong key is found out by the tag that comes with each payload.
    open: async (payload, bound) => {
      let failure: unknown;
      for (const key of keys) {
        const { keyId } = payload;
        const options: Aes256GcmOptions = { keyId, keys: { [keyId]: key } };
        try {
          return await aes256Gcm(options).open(payload, bound);
        } catch (error) {
          failure = error;
        }
      }
      throw failure;
    },
  };
}

function fromVariable(name: string): Buffer {
  const text = process.env[name];
  if (text === undefined || text === '') throw new UsageError(`--key-env: there is no environment variable ${name}`);
  return keyIn(text, `--key-env ${name}`);
}

function fromFile(path: string): Buffer {
  let text: string;
  try {
    text = readText(path);
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`--key-file ${path}: ${error.message}`) : error;
  }
  return keyIn(text, `--key-file ${path}`);
}

/** 32 bytes as 64 hexadecimal digits, or as base64. */
function keyIn(text: string, where: string): Buffer {
  const trimmed = text.trim();
  if (/^[\da-f]{64}$/i.test(trimmed)) return Buffer.from(trimmed, 'hex');
  const key = Buffer.from(trimmed, 'base64');
  if (/^[\w+/-]+={0,2}$/.test(trimmed) && key.length === KEY_BYTES) return key;
  throw new UsageError(`${where}: a key is ${KEY_BYTES} bytes, as base64 or as ${2 * KEY_BYTES} hexadecimal digits`);
}

const KEY_BYTES = 32;
