import { parse } from 'yaml';
import type { DashboardsOptions } from '../dashboards/src/config.ts';
import { readText } from './read-text.ts';
import { UsageError } from './usage-error.ts';

/**
 * Reads a file of options for dashboards and alerts, as YAML or JSON. They are not checked.
 *
 * @throws UsageError when the file cannot be read, or holds something else
 */
export function readDashboardsOptions(path: string): DashboardsOptions {
  try {
    const value: unknown = parse(readText(path), { maxAliasCount: 10 });
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message.split('\n')[0]}`);
  }
  throw new UsageError(`${path} holds no options by name`);
}
