// Installs what the locks name, where that has not happened yet. Runs under any Node from 20 on, without dependencies,
// and costs a few file reads when there is nothing to do.
import { execSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { oneAtATime } from './one-at-a-time.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

for (const folder of ['.', 'test/opentelemetry-2']) {
  if (!isInstalled(join(root, folder))) oneAtATime('install', () => install(folder));
}

function install(folder) {
  const place = join(root, folder);
  // Somebody else may have done it meanwhile.
  if (isInstalled(place)) return;
  console.log(`Installing dependencies${folder === '.' ? '' : ` of ${folder}`} (npm ci) ...`);
  execSync('npm ci --no-audit --no-fund --loglevel=error', { cwd: place, stdio: 'inherit' });
}

/**
 * npm notes what it installed in a lock of its own, once it has finished. Times of files would mean little in a clone.
 * Optional packages that are made for other platforms are missing from it.
 */
function isInstalled(place) {
  const wanted = packagesIn(join(place, 'package-lock.json'));
  const installed = packagesIn(join(place, 'node_modules/.package-lock.json'));
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    const found = installed[path];
    return path === '' || (found === undefined ? optional === true : found.version === version);
  });
}

function packagesIn(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch (error) {
    if (error.code === 'ENOENT') return {};
    throw error;
  }
}
