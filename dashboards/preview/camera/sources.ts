import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The SHA-256 of each dashboard that was rendered, so that it is seen when the pictures are older than the dashboards. */
export function sourcesOf(folder: string, dashboards: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    dashboards.map(name => [
      `${name}.json`,
      createHash('sha256')
        .update(readFileSync(join(folder, `${name}.json`)))
        .digest('hex'),
    ]),
  );
}
