import type { Stats } from 'node:fs';
import { type FileHandle, lstat, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AttemptContext } from '../../engine/attempt.ts';
import { type AtomicWriteOptions, partOptions, type WritePlan } from './atomic-options.ts';
import { filePolicy } from './file-policy.ts';
import { isMissing, isUnsupported, type Keep, temporaryName, whatToKeep } from './temporary-file.ts';

/**
 * Writes a whole file, and retries it. Whoever reads the file sees its old content or its new one, never a part, even
 * when the process is killed: the data goes to a temporary file in the same folder, which then takes the name. Every
 * attempt makes a temporary file of its own and removes it when it fails; one that was cut off no longer takes the name.
 *
 * The permissions of the file that is replaced are kept, and its owner where the process may set it. A symbolic link
 * stays, and the file that it leads to is replaced; one that leads nowhere fails with `ENOENT`. Other hard links keep the
 * old content, extended attributes are lost. A process that is killed may leave a `.retryscope-….tmp` behind, which may
 * be deleted.
 *
 * Operation `file_write`. Budget `files`.
 *
 * @throws TypeError or RangeError at once, when an option is wrong
 *
 * @example
 * ```ts
 * await writeFileAtomic('/var/lib/app/state.json', JSON.stringify(state), { mode: 0o600 });
 * ```
 */
export function writeFileAtomic(
  path: string | URL,
  data: string | Uint8Array,
  options?: AtomicWriteOptions,
): Promise<void> {
  const [plan, retries] = partOptions(options);
  const bytes = typeof data === 'string' ? Buffer.from(data, plan.encoding) : data;
  return filePolicy(retries, 'file_write').execute(attempt => replace(path, bytes, plan, attempt));
}

async function replace(path: string | URL, bytes: Uint8Array, plan: WritePlan, attempt: AttemptContext): Promise<void> {
  const target = await targetOf(typeof path === 'string' ? path : fileURLToPath(path));
  const keep = whatToKeep(await statOf(target), plan.mode);
  const temporary = temporaryName(target);
  const handle = await open(temporary, 'wx', keep.openMode);
  try {
    try {
      await fill(handle, bytes, keep, plan);
    } finally {
      await handle.close();
    }
    // An attempt that was left behind must not undo what a later one, or somebody else, has written since.
    attempt.signal.throwIfAborted();
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  if (plan.isFlushed) await flushFolder(dirname(target));
}

async function fill(handle: FileHandle, bytes: Uint8Array, { mode, owner }: Keep, plan: WritePlan): Promise<void> {
  await handle.writeFile(bytes);
  if (owner !== undefined) await handle.chown(owner.uid, owner.gid).catch(unlessUnsupported);
  if (mode !== undefined) await handle.chmod(mode);
  if (plan.isFlushed) await handle.sync();
}

/** The file itself, behind every symbolic link. */
async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isMissing(error) || (await isLink(path))) throw error;
    return path;
  }
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch {
    return false;
  }
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Without this, a loss of power may take the new name away again. */
async function flushFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    unlessUnsupported(error);
  }
}

function unlessUnsupported(error: unknown): void {
  if (!isUnsupported(error)) throw error;
}
