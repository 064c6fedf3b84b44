import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { expand } from './promql.ts';

/**
 * Has `promtool check rules` read queries, each as a recording rule: that is Prometheus' own parser, which knows the
 * types of expressions too. Gives what it complains of.
 */
export function complaintsOf(queries: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'queries-'));
  try {
    const file = join(folder, 'queries.yml');
    const rules = queries.map((expr, i) => ({ record: `query:${i}`, expr: expand(expr) }));
    writeFileSync(file, stringify({ groups: [{ name: 'queries', rules }] }));
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
    return status === 0 ? '' : `${stdout}${stderr}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether promtool is there. In CI it may not be missing. */
export function hasPromtool(): boolean {
  if (spawnSync('promtool', ['--version']).error === undefined) return true;
  if (process.env.CI) throw new Error('promtool is missing: install the Debian package prometheus');
  return false;
}
