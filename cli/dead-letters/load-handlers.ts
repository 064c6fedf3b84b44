import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeError } from 'retryscope';
import { operations } from 'retryscope/dead-letters';
import { UsageError } from '../usage-error.ts';

/** Loads a module by its URL. */
export type ImportModule = (url: string) => Promise<unknown>;

/**
 * Loads the modules of the user that define operations: they put them into the registry of the process, which all copies of
 * the library share. Gives the names of all operations.
 *
 * @throws UsageError when a module cannot be loaded, or none defines an operation
 */
export async function loadHandlers(
  files: readonly string[],
  importModule: ImportModule = url => import(url),
): Promise<readonly string[]> {
  for (const file of files) {
    const path = resolve(file);
    if (!existsSync(path)) throw new UsageError(`--handlers ${file}: there is no such file`);
    try {
      await importModule(pathToFileURL(path).href);
    } catch (error) {
      const { type, message } = describeError(error);
      throw new UsageError(`--handlers ${file} cannot be loaded: ${type === 'Error' ? '' : `${type}: `}${message}`);
    }
  }
  const names = operations.names();
  if (names.length === 0) throw new UsageError(`--handlers: no operation is defined by ${files.join(', ')}`);
  return names;
}
