import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Check, checkOptions, milliseconds, ofType, withFunctions } from '../../engine/option-checks.ts';
import { LARGEST_FILE, parsePolicies, type Settings, wrong } from './parse.ts';
import { Policies } from './policies.ts';
import { keepReading, traceOf } from './reload.ts';

/** Where policies are read from, and how often. */
export interface LoadPoliciesOptions {
  /**
   * The file. Default: `RETRYSCOPE_CONFIG`, else `retryscope.config.json`, `.yaml` or `.yml` in the working folder.
   */
  readonly path?: string;
  /**
   * Looks every so many milliseconds whether the file has changed, and takes it over. A file with a mistake in it is
   * not taken over: the old policies stay, and a process warning tells the mistake. Default: the file is read once.
   */
  readonly reloadEvery?: number;
  /** Ends the reloading. It keeps no process alive, with or without a signal. */
  readonly signal?: AbortSignal;
}

/**
 * Reads the policies of a file.
 *
 * @throws TypeError or RangeError when there is no such file, or something in it is wrong; the message names the place
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

/** Reads no more than is allowed, whatever the path leads to. */
async function readSettings(path: string): Promise<Settings> {
  return await parsePolicies(path, await readText(path));
}

async function readText(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const buffer = Buffer.alloc(LARGEST_FILE + 1);
    let size = 0;
    for (let bytes = -1; bytes !== 0 && size < buffer.length; size += bytes) {
      bytes = (await file.read(buffer, size, buffer.length - size, null)).bytesRead;
    }
    return buffer.toString('utf8', 0, size);
  } catch (error) {
    throw wrong(path, `it cannot be read: ${(error as Error).message}`);
  }
}
