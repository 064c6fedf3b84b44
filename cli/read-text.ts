import { closeSync, openSync, readSync } from 'node:fs';
import { UsageError } from './usage-error.ts';

/**
 * Reads a file of settings, without the mark of the byte order that an editor may have put first; no more than is
 * allowed, whatever the path leads to.
 *
 * @param maxSize in bytes; default 64 kB
 * @throws UsageError when the file cannot be read or is larger
 */
export function readText(path: string, maxSize: number = MAX_SIZE): string {
  const buffer = Buffer.alloc(maxSize + 1);
  let size = 0;
  try {
    const file = openSync(path, 'r');
    try {
      for (let read = -1; read !== 0 && size < buffer.length; size += read) {
        read = readSync(file, buffer, size, buffer.length - size, null);
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(READ_ERRORS[code ?? ''] ?? `it cannot be read: ${message}`);
  }
  if (size > maxSize) throw new UsageError(`it is larger than ${maxSize} bytes`);
  return buffer.toString('utf8', 0, size).replace(/^\uFEFF/, '');
}

/** Bytes: no settings need a tenth of it. */
const MAX_SIZE = 64 * 1024;

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'this is a folder, not a file',
  EACCES: 'you may not read it',
};
