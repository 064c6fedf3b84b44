import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { retrySync } from '../../forms/retry-sync.ts';
import { type AtomicWriteOptions, partOptions, type WritePlan } from './atomic-options.ts';
import { filePolicy } from './file-policy.ts';
import { isMissing, isUnsupported, type Keep, temporaryName, whatToKeep } from './temporary-file.ts';

/**
 * `writeFileAtomic` for scripts and start-up code: it **blocks the thread** while it writes and waits. Never use it in a
 * server.
 *
 * @throws TypeError or RangeError at once, when an option is wrong
 *
 * @example
 * ```ts
 * writeFileAtomicSync('settings.json', JSON.stringify(settings));
 * ```
 */
export function writeFileAtomicSync(path: string | URL, data: string | Uint8Array, options?: AtomicWriteOptions): void {
  const [plan, retries] = partOptions(options);
  const bytes = typeof data === 'string' ? Buffer.from(data, plan.encoding) : data;
  retrySync(() => replace(path, bytes, plan), filePolicy(retries, 'file_write'));
}

function replace(path: string | URL, bytes: Uint8Array, plan: WritePlan): void {
  const target = targetOf(typeof path === 'string' ? path : fileURLToPath(path));
  const keep = whatToKeep(statOf(target), plan.mode);
  const temporary = temporaryName(target);
  const file = openSync(temporary, 'wx', keep.openMode);
  try {
    try {
      fill(file, bytes, keep, plan);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, target);
  } catch (error) {
    remove(temporary);
    throw error;
  }
  if (plan.isFlushed) flushFolder(dirname(target));
}

function fill(file: number, bytes: Uint8Array, { mode, owner }: Keep, plan: WritePlan): void {
  writeFileSync(file, bytes);
  if (owner !== undefined) ifSupported(() => fchownSync(file, owner.uid, owner.gid));
  if (mode !== undefined) fchmodSync(file, mode);
  if (plan.isFlushed) fsyncSync(file);
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // What went wrong before is what the caller has to know.
  }
}

/** The file itself, behind every symbolic link. */
function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (!isMissing(error) || lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) throw error;
    return path;
  }
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function flushFolder(folder: string): void {
  ifSupported(() => {
    const file = openSync(folder, 'r');
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  });
}

function ifSupported(fn: () => void): void {
  try {
    fn();
  } catch (error) {
    if (!isUnsupported(error)) throw error;
  }
}
