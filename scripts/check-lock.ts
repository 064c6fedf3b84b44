import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Checks the locks: each optional dependency has an entry of its own (npm drops those whose platform it cannot get,
 * without a word, and everybody on that platform gets a broken install), and no entry names a registry.
 */
const LOCKS = ['package-lock.json', 'test/opentelemetry-2/package-lock.json', 'dashboards/preview/package-lock.json'];

interface LockedPackage {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const problems = LOCKS.flatMap(path => problemsOf(path, readLock(path)));
for (const problem of problems) console.error(problem);
console.log(`${LOCKS.length} locks checked, ${problems.length} problems`);
if (problems.length > 0) process.exitCode = 1;

function readLock(path: string): Readonly<Record<string, LockedPackage>> {
  return JSON.parse(readFileSync(join(import.meta.dirname, '..', path), 'utf8')).packages;
}

function problemsOf(path: string, packages: Readonly<Record<string, LockedPackage>>): string[] {
  return Object.entries(packages).flatMap(([place, { resolved, optionalDependencies }]) => [
    ...(resolved === undefined ? [] : [`${path}: ${place} names ${resolved}`]),
    ...Object.keys(optionalDependencies ?? {})
      .filter(name => !isLocked(packages, place, name))
      .map(name => `${path}: ${place} may need ${name}, which has no entry`),
  ]);
}

/** npm looks for a dependency in the dependent's own folder first, and then further and further up. */
function isLocked(packages: Readonly<Record<string, LockedPackage>>, place: string, name: string): boolean {
  if (`${place}/node_modules/${name}`.replace(/^\//, '') in packages) return true;
  return place !== '' && isLocked(packages, place.slice(0, Math.max(0, place.lastIndexOf('/node_modules/'))), name);
}
