// Installs what the locks name, where that has not happened yet. Runs under any Node from 20 on, without dependencies,
// and costs a few file reads when there is nothing to do.
import { execSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

for (const folder of ['.', 'test/opentelemetry-2']) {
  const place = join(root, folder);
  const lock = readFileSync(join(place, 'package-lock.json'), 'utf8');
  // What is installed is told by a copy of the lock that it was installed from: times of files mean little in a clone.
  const stamp = join(place, 'node_modules/.installed-lock.json');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) continue;
  console.log(`Installing dependencies${folder === '.' ? '' : ` of ${folder}`} (npm ci) ...`);
  execSync('npm ci --no-audit --no-fund --loglevel=error', { cwd: place, stdio: 'inherit' });
  writeFileSync(stamp, lock);
}
