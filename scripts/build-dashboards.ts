// Writes what dashboards/src generates, for the repository itself. A test holds that it has been run.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildFiles, buildStackFiles } from '../dashboards/src/build.ts';
import { resolveConfig } from '../dashboards/src/config.ts';

const config = resolveConfig();
for (const { path, text } of [...buildFiles(config), ...buildStackFiles(config)]) {
  const target = join(import.meta.dirname, '../dashboards', path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
}
