import { findMistake } from './json-mistakes.ts';
import { refuseOddities } from './plain-data.ts';
import { readYaml } from './yaml-reader.ts';

/** A policy file as it stands there, before anything of it is known. */
export type Settings = Readonly<Record<string, unknown>>;

/** Bytes: a policy for every operation of a large service needs a tenth of it. */
export const LARGEST_FILE = 262_144;

/**
 * Parses the text of a policy file: YAML where the name ends in `.yaml` or `.yml` (with the package `yaml`, which has to
 * be installed for it), else JSON. No message repeats what stands in the file: it may not be one at all, but a file of
 * secrets.
 *
 * @throws TypeError when the text is too long, no such thing, or holds what a policy file may not hold
 */
export async function parsePolicies(path: string, text: string): Promise<Settings> {
  if (Buffer.byteLength(text) > LARGEST_FILE) throw new TypeError(`it is larger than ${LARGEST_FILE} bytes`);
  // An editor may have put a mark of the byte order first.
  const plain = text.replace(/^\uFEFF/, '');
  const value = /\.ya?ml$/i.test(path) ? await readYaml(plain) : readJson(plain);
  refuseOddities(value);
  if (!isSettings(value)) throw new TypeError('it holds no policies by name');
  return value;
}

/** True for an object with names, as JSON and YAML have them. */
export function isSettings(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readJson(text: string): unknown {
  const mistake = findMistake(text);
  if (mistake !== undefined) throw new TypeError(`it is not JSON: ${mistake}`);
  try {
    return JSON.parse(text);
  } catch {
    throw new TypeError('it is not JSON');
  }
}
