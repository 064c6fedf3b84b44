import { rename as move, readFile as read } from 'node:fs/promises';
import { type FileRetryOptions, filePolicy } from './file-policy.ts';

/**
 * Reads a whole file as `fs.promises.readFile` does, and retries it. Operation `file_read`.
 *
 * @param encoding for text; `undefined` gives the bytes
 * @throws TypeError or RangeError at once, when an option is wrong
 *
 * @example
 * ```ts
 * const config = await readFile('/mnt/share/config.json', 'utf8');
 * ```
 */
export function readFile(
  path: string | URL,
  encoding: BufferEncoding,
  options?: FileRetryOptions<string>,
): Promise<string>;
export function readFile(path: string | URL, encoding?: undefined, options?: FileRetryOptions<Buffer>): Promise<Buffer>;
export function readFile(
  path: string | URL,
  encoding?: BufferEncoding,
  options?: FileRetryOptions<never>,
): Promise<string | Buffer> {
  const attempt = (): Promise<string | Buffer> => (encoding === undefined ? read(path) : read(path, encoding));
  return filePolicy<string | Buffer, never>(options, 'file_read').execute(attempt);
}

/**
 * Renames a file or folder as `fs.promises.rename` does, and retries it; under Windows also while a virus scanner or an
 * indexer holds it (`EPERM`, `EACCES`). Operation `file_rename`.
 *
 * A network file system may rename and lose its answer: the next attempt then fails with `ENOENT`, since the file has
 * its new name already.
 *
 * @throws TypeError or RangeError at once, when an option is wrong
 *
 * @example
 * ```ts
 * await rename('report.part', 'report.csv');
 * ```
 */
export function rename(from: string | URL, to: string | URL, options?: FileRetryOptions<void>): Promise<void> {
  return filePolicy(options, 'file_rename').execute(() => move(from, to));
}
