import { constants, existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Check, checkOptions, milliseconds, ofType, withFunctions } from '../../engine/option-checks.ts';
import { read } from '../../engine/read.ts';
import { LARGEST_FILE, parsePolicies, type Settings } from './parse.ts';
import { Policies } from './policies.ts';
import { keepReading, traceOf } from './reload.ts';

/** Where policies are read from, and how often. */
export interface LoadPoliciesOptions {
  /**
   * The file: YAML where its name ends in `.yaml` or `.yml`, else JSON. Default: `RETRYSCOPE_CONFIG`, else
   * `retryscope.config.json`, `.yaml` or `.yml` in the working folder, the first that is there.
   */
  readonly path?: string;
  /**
   * Looks every so many milliseconds whether the file has changed, and takes it over once it has been the same at two
   * looks in a row: it may still be being written. A file with a mistake in it is not taken over: the old policies stay,
   * and a process warning (`RETRYSCOPE_CONFIG`) tells the mistake. Default: the file is read once. Range 100 to 2^31-1.
   */
  readonly reloadEvery?: number;
  /** Ends the reloading. It keeps no process alive, with or without a signal. */
  readonly signal?: AbortSignal;
}

/**
 * Reads the policies of a file.
 *
 * @throws TypeError or RangeError when there is no such file, it is larger than 256 kB, or something in it is wrong; the
 * message names the file and the place in it
 */
export async function loadPolicies(options: LoadPoliciesOptions = {}): Promise<Policies> {
  checkOptions('options of loadPolicies', options, CHECKS);
  const path = options.path ?? findPolicyFile();
  if (path === undefined) {
    throw new TypeError(
      `There is no policy file: neither RETRYSCOPE_CONFIG nor ${NAMES.join(', ')} in ${process.cwd()}`,
    );
  }
  const seen = traceOf(path);
  const policies = new Policies(path, await readSettings(path));
  const { reloadEvery, signal } = options;
  if (reloadEvery !== undefined) {
    void keepReading(path, reloadEvery, signal, seen, async () => policies.replace(await readSettings(path)));
  }
  return policies;
}

/** The policy file of this process, if there is one: `RETRYSCOPE_CONFIG`, or one of the usual names. */
export function findPolicyFile(): string | undefined {
  return process.env.RETRYSCOPE_CONFIG || NAMES.map(name => join(process.cwd(), name)).find(path => existsSync(path));
}

const NAMES = ['retryscope.config.json', 'retryscope.config.yaml', 'retryscope.config.yml'];

const CHECKS: Record<keyof LoadPoliciesOptions, Check> = {
  path: ofType('the path of a file', value => typeof value === 'string' && value !== ''),
  reloadEvery: milliseconds(100),
  signal: withFunctions('an AbortSignal', 'addEventListener'),
};

async function readSettings(path: string): Promise<Settings> {
  const text = await readText(path);
  try {
    return await parsePolicies(path, text);
  } catch (error) {
    throw new TypeError(`${path}: ${(error as TypeError).message}`);
  }
}

/** Reads no more than is allowed, whatever the path leads to. */
async function readText(path: string): Promise<string> {
  try {
    // A pipe would let whoever opens it wait for somebody to write.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    return await beginning(file).finally(() => file.close());
  } catch (error) {
    const code = read(error, 'code');
    const why = typeof code === 'string' ? (READ_ERRORS[code] ?? code) : (error as TypeError).message;
    throw new TypeError(`${path}: it cannot be read: ${why}`);
  }
}

async function beginning(file: FileHandle): Promise<string> {
  if (!(await file.stat()).isFile()) throw new TypeError('it is no regular file');
  const buffer = Buffer.alloc(LARGEST_FILE + 1);
  let size = 0;
  for (let bytes = -1; bytes !== 0 && size < buffer.length; size += bytes) {
    bytes = (await file.read(buffer, size, buffer.length - size, null)).bytesRead;
  }
  return buffer.toString('utf8', 0, size);
}

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'no permission',
  ENXIO: 'it is no regular file',
};
