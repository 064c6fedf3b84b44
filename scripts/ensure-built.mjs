// Builds dist/ where it is missing or older than a source.
import { execSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const built = join(root, 'dist/index.js');
const sources = [
  'src',
  'instrumentation',
  'cli',
  'benchmarks/storm',
  'package.json',
  'tsdown.config.mjs',
  'scripts/entries.mjs',
];

const newest = Math.max(...sources.map(source => newestIn(join(root, source))));
if (!existsSync(built) || statSync(built).mtimeMs < newest) {
  execSync('npm run --silent build -- --log-level error', { cwd: root, stdio: 'inherit' });
}

function newestIn(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map(name => newestIn(join(path, name))));
}
