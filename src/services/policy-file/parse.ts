/** A policy file as it stands there, before anything of it is known. */
export type Settings = Readonly<Record<string, unknown>>;

/** Bytes: a policy for every operation of a large service needs a tenth of it. */
export const LARGEST_FILE = 262_144;

/**
 * Parses the text of a policy file: JSON, or YAML where the name says so (with the package `yaml`, which has to be
 * installed for it).
 *
 * @throws TypeError when the text is too long, no such thing, or holds names that are part of every object
 */
export async function parsePolicies(path: string, text: string): Promise<Settings> {
  if (Buffer.byteLength(text) > LARGEST_FILE) throw wrong(path, `it is larger than ${LARGEST_FILE} bytes`);
  // An editor may have put a mark of the byte order first.
  const plain = text.replace(/^\uFEFF/, '');
  const value = /\.ya?ml$/i.test(path) ? await parseYaml(path, plain) : parseJson(path, plain);
  refuseInherited(path, value, '');
  if (!isSettings(value)) throw wrong(path, 'it holds no policies by name');
  return value;
}

/** True for an object with names, as JSON and YAML have them. */
export function isSettings(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is wrong with a file, for its author to put right. */
export function wrong(path: string, why: string): TypeError {
  return new TypeError(`${path}: ${why}`);
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw wrong(path, `it is not JSON: ${(error as Error).message}`);
  }
}

/** Aliases that may be followed: enough to name a policy twice, too few to unfold a file without end. */
const MOST_ALIASES = 100;

async function parseYaml(path: string, text: string): Promise<unknown> {
  const { parse } = await import('yaml').catch(() => {
    throw wrong(path, 'YAML needs the package yaml: npm install yaml, or write JSON');
  });
  try {
    return parse(text, { maxAliasCount: MOST_ALIASES, uniqueKeys: true });
  } catch (error) {
    throw wrong(path, `it is not YAML: ${String((error as Error).message).split('\n')[0]}`);
  }
}

const INHERITED = new Set(['__proto__', 'constructor', 'prototype']);

function refuseInherited(path: string, value: unknown, at: string): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (INHERITED.has(key)) throw wrong(path, `"${at}${key}" may not be a name`);
    refuseInherited(path, inner, `${at}${key}.`);
  }
}
