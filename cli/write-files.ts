import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from './usage-error.ts';

/** A file to write: its path below the folder, with `/`, and what is to be in it. */
export interface FileToWrite {
  readonly path: string;
  readonly text: string;
}

/** Tells which files in a folder are ours, and unchanged since: their paths and hashes. */
const MANIFEST = '.retryscope.json';

/**
 * Writes files into a folder: all of them, or none. Files that were not written by us, or were changed since, are kept
 * unless they are to be overwritten. Gives the number of files that are other than before.
 *
 * @throws UsageError when the folder is missing or may not be written to, or when files would have to be overwritten
 */
export function writeFiles(folder: string, files: readonly FileToWrite[], foreign: 'keep' | 'overwrite'): number {
  requireFolder(folder);
  const known = readManifest(folder);
  const found = files.map(file => ({ ...file, before: readExisting(join(folder, file.path)) }));
  const changed = found.filter(({ text, before }) => text !== before);
  const theirs = changed.filter(({ path, before }) => before !== undefined && known.get(path) !== hash(before));
  if (theirs.length > 0 && foreign === 'keep') {
    const names = theirs.map(({ path }) => path).join(', ');
    throw new UsageError(
      `${folder} holds files that were not written by retryscope, or changed since: ${names}. Nothing was written; --force overwrites them`,
    );
  }
  const hashes = Object.fromEntries(files.map(({ path, text }) => [path, hash(text)]));
  writeAll(folder, [...changed, { path: MANIFEST, text: `${JSON.stringify({ sha256: hashes }, null, 2)}\n` }]);
  return changed.length;
}

function requireFolder(folder: string): void {
  const stats = attempt(folder, () => statSync(folder, { throwIfNoEntry: false }));
  if (stats === undefined) throw new UsageError(`there is no folder ${folder}; make it first`);
  if (!stats.isDirectory()) throw new UsageError(`${folder} is no folder`);
}

/** The text of a file; undefined where there is none. */
function readExisting(path: string): string | undefined {
  return attempt(path, () => {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    // A link may lead out of the folder.
    if (!stats.isFile()) throw new UsageError(`${path} is no plain file`);
    return readFileSync(path, 'utf8');
  });
}

function readManifest(folder: string): ReadonlyMap<string, string> {
  try {
    const { sha256 } = JSON.parse(readExisting(join(folder, MANIFEST)) ?? '{}') as { sha256?: Record<string, string> };
    return new Map(Object.entries(sha256 ?? {}));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // Whoever changed it has made all files theirs.
    return new Map();
  }
}

/** First all under other names, which is where a disk is full or a folder closed; then each is put in its place. */
function writeAll(folder: string, files: readonly FileToWrite[]): void {
  const temporary = files.map(({ path }) => join(folder, `${path}.${process.pid}.tmp`));
  try {
    for (const [i, { path, text }] of files.entries()) {
      attempt(folder, () => {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(temporary[i] as string, text, { flag: 'wx' });
      });
    }
    for (const [i, { path }] of files.entries()) {
      attempt(folder, () => renameSync(temporary[i] as string, join(folder, path)));
    }
  } finally {
    for (const path of temporary) rmSync(path, { force: true });
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What the file system refuses is for the user to put right. */
function attempt<R>(path: string, work: () => R): R {
  try {
    return work();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
}
