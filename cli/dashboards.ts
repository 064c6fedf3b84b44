import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildFiles, type GeneratedFile } from '../dashboards/src/build.ts';
import { type DashboardsConfig, type DashboardsOptions, resolveConfig } from '../dashboards/src/config.ts';
import { readDashboardsOptions } from './dashboards-config.ts';
import { packageRoot } from './package-root.ts';
import { UsageError } from './usage-error.ts';
import { writeFiles } from './write-files.ts';

/** What `retryscope dashboards` is asked for. */
export interface DashboardsCommand {
  readonly out: string;
  /** A file of options, as YAML or JSON; the options of the command line go before it. */
  readonly config?: string;
  readonly selector?: string;
  readonly objective?: number;
  readonly runbookBase?: string;
  readonly grafanaUrl?: string;
  readonly force?: boolean;
}

/**
 * Writes dashboards, rules, alerts and runbooks for a user's own Grafana and Prometheus; all of them, or none.
 *
 * @throws UsageError when an option is wrong, the folder is missing, or files in it are not ours
 */
export function writeDashboards({ out, config, force, ...options }: DashboardsCommand): void {
  const files = [...buildFiles(resolve(config, options)), ...runbooks()];
  const written = writeFiles(out, files, force === true ? 'overwrite' : 'keep');
  process.stdout.write(`${files.length} files in ${out}, ${written} of them changed:\n${summary(files)}`);
}

function resolve(path: string | undefined, options: DashboardsOptions): DashboardsConfig {
  try {
    return resolveConfig({ ...(path === undefined ? undefined : readDashboardsOptions(path)), ...options });
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}

function runbooks(): GeneratedFile[] {
  const folder = join(packageRoot(), 'dashboards/runbooks');
  return readdirSync(folder)
    .filter(name => name.endsWith('.md'))
    .sort()
    .map(name => ({ path: `runbooks/${name}`, text: readFileSync(join(folder, name), 'utf8') }));
}

function summary(files: readonly GeneratedFile[]): string {
  const folders = Map.groupBy(files, ({ path }) => path.slice(0, path.indexOf('/')));
  return [...folders].map(([folder, inside]) => `  ${folder}/  ${names(inside)}\n`).join('');
}

function names(files: readonly GeneratedFile[]): string {
  const all = files.map(({ path }) => path.slice(path.indexOf('/') + 1));
  return all.length <= 5 ? all.join(', ') : `${all.length} files, one for each alert`;
}
