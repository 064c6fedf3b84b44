import { findPackageJSON } from 'node:module';
import { dirname } from 'node:path';

/** The folder of the package, from its sources as from what was built of them. */
export function packageRoot(): string {
  const manifest = findPackageJSON(import.meta.url);
  if (manifest === undefined) throw new Error('The package has lost its package.json');
  return dirname(manifest);
}
