// Builds dist/ where it is missing or older than a source, or where the last build here was broken off.
import { execSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { oneAtATime } from './one-at-a-time.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const built = join(root, 'dist/index.js');
/** Is there while a build runs: one that is killed leaves some of its files behind, and nothing else would tell. */
const unfinished = join(root, '.cache/build-unfinished');
const sources = [
  'src',
  'instrumentation',
  'cli',
  'benchmarks/storm',
  'package.json',
  'tsdown.config.mjs',
  'scripts/entries.mjs',
];

if (!isBuilt()) oneAtATime('build', build);

function isBuilt() {
  const newest = Math.max(...sources.map(source => newestIn(join(root, source))));
  return !existsSync(unfinished) && existsSync(built) && statSync(built).mtimeMs >= newest;
}

function build() {
  // Somebody else may have done it meanwhile.
  if (isBuilt()) return;
  mkdirSync(dirname(unfinished), { recursive: true });
  writeFileSync(unfinished, '');
  execSync('npm run --silent build -- --log-level error', { cwd: root, stdio: 'inherit' });
  rmSync(unfinished, { force: true });
}

function newestIn(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map(name => newestIn(join(path, name))));
}
