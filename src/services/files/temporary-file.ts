import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { NonRetryableError } from '../../engine/errors.ts';
import { read } from '../../engine/read.ts';

/** A name beside the file, on the same disk, so that it can be renamed; nobody can guess it and put a link there. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.retryscope-${randomBytes(8).toString('hex')}.tmp`);
}

/** The permissions and the owner that the file is to have. */
export interface Keep {
  /** With which it is made: nobody else reads what is not to be read by all. */
  readonly openMode: number;
  /** What it gets before it has its name; undefined where the process' own is right already. */
  readonly mode: number | undefined;
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

/** What of the file that is replaced is kept; `replaced` is undefined where there is none. */
export function whatToKeep(replaced: Stats | undefined, wanted: number | undefined): Keep {
  if (replaced === undefined) return { openMode: wanted === undefined ? 0o666 : 0o600, mode: wanted, owner: undefined };
  if (!replaced.isFile() && !replaced.isDirectory()) {
    throw new NonRetryableError('Only a file can be replaced, not a device, a pipe or a socket');
  }
  return { openMode: 0o600, mode: wanted ?? replaced.mode & 0o777, owner: { uid: replaced.uid, gid: replaced.gid } };
}

/** True where there is no file yet. */
export function isMissing(error: unknown): boolean {
  return read(error, 'code') === 'ENOENT';
}

/** True where a file system, or Windows, does not let a folder be flushed, or an owner be set; what follows does not need it. */
export function isUnsupported(error: unknown): boolean {
  return UNSUPPORTED.has(read(error, 'code'));
}

const UNSUPPORTED: ReadonlySet<unknown> = new Set([
  'EINVAL',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EPERM',
  'EACCES',
  'EISDIR',
  'EBADF',
]);
