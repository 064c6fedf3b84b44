import { closeSync, openSync, readSync } from 'node:fs';
import { UsageError } from './usage-error.ts';

/**
 * Reads a file of settings, without the mark of the byte order that an editor may have put first; no more than is
 * allowed, whatever the path leads to.
 *
 * @throws UsageError when the file cannot be read or is larger than 64 kB
 */
export function readText(path: string): string {
  const buffer = Buffer.alloc(MAX_SIZE + 1);
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
  if (size > MAX_SIZE) throw new UsageError(`it is larger than ${MAX_SIZE} bytes`);
  return buffer.toString('utf8', 0, size).replace(/^\uFEFF/, '');
}

/** Bytes: no settings need a tenth of it. */
const MAX_SIZE = 64 * 1024;

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'this is a folder, not a file',
  EACCES: 'you may not read it',
};
