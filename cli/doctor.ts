import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findPolicyFile, loadPolicies } from 'retryscope/policy-file';
import { type DashboardsConfig, resolveConfig } from '../dashboards/src/config.ts';
import { readDashboardsOptions } from './dashboards-config.ts';
import { type FileView, viewFile } from './doctor/file-view.ts';
import { examine, type Finding, SEVERITIES, type Severity, worstFirst } from './doctor/finding.ts';
import { type MetricsView, viewMetrics } from './doctor/metrics-view.ts';
import { parseMetrics } from './doctor/parse-metrics.ts';
import { readMetricsText, shownSource } from './doctor/read-metrics.ts';
import { ALERT_RULES, FILE_RULES, METRICS_RULES } from './doctor/rules.ts';
import { asJson, asTable } from './doctor/show.ts';
import { columns, terminalColors } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** What `retryscope doctor` is asked for. */
export interface DoctorOptions {
  /** The policy file. Default: the one that `loadPolicies` would find, unless there are metrics. */
  readonly config?: string;
  /** The address of a process' metrics, or a file of them. */
  readonly metrics?: string;
  /** A file of options for dashboards and alerts, as `retryscope dashboards --config` takes it. */
  readonly alerts?: string;
  /** How long callers wait, in milliseconds. */
  readonly callerTimeout: number;
  /** Codes that are not told of. */
  readonly ignore?: readonly string[];
  /** From which severity on the verdict is `dangerous`. */
  readonly failOn: Severity;
  readonly json?: boolean;
}

/**
 * Reads a policy file, metrics, or both, and prints what is dangerous in them.
 *
 * @throws UsageError when there is nothing to read, or it cannot be read
 */
export async function doctor(options: DoctorOptions): Promise<'healthy' | 'dangerous'> {
  checkCodes(options.ignore ?? []);
  const config = options.config ?? (options.metrics === undefined ? findPolicyFile() : undefined);
  if (config === undefined && options.metrics === undefined) {
    throw new UsageError('there is no policy file here; name one with --config, or metrics with --metrics');
  }
  const alerts = readAlerts(options.alerts);
  const file = config === undefined ? undefined : await readFile(config, options.callerTimeout, alerts);
  const metrics = options.metrics === undefined ? undefined : await readMetrics(options.metrics, alerts, file);
  const findings = worstFirst([
    ...(options.config === undefined && config !== undefined ? shadowed(config) : []),
    ...examine(ALERT_RULES, alerts),
    ...(file === undefined ? [] : examine(FILE_RULES, file)),
    ...(metrics === undefined ? [] : examine(METRICS_RULES, metrics)),
  ]).filter(({ code }) => options.ignore?.includes(code) !== true);
  const source = options.metrics === undefined ? undefined : shownSource(options.metrics);
  process.stdout.write(
    options.json === true
      ? asJson({ config: config ?? null, metrics: source ?? null }, findings)
      : asTable(
          [config, source].filter(each => each !== undefined),
          findings,
          columns(),
          terminalColors(),
        ),
  );
  const worst = SEVERITIES.indexOf(options.failOn);
  return findings.some(({ severity }) => SEVERITIES.indexOf(severity) <= worst) ? 'dangerous' : 'healthy';
}

/** Every code that a finding can have, in the order of the alphabet. */
export function codes(): string[] {
  return [SHADOWED, ...[...FILE_RULES, ...METRICS_RULES, ...ALERT_RULES].map(({ code }) => code)].sort();
}

function checkCodes(ignored: readonly string[]): void {
  const unknown = ignored.find(code => !codes().includes(code));
  if (unknown !== undefined)
    throw new UsageError(`--ignore: there is no code ${unknown}; there are ${codes().join(', ')}`);
}

async function readFile(path: string, callerTimeoutMs: number, alerts: DashboardsConfig): Promise<FileView> {
  try {
    const { settings } = await loadPolicies({ path });
    return viewFile(settings, { callerTimeoutMs, alerts });
  } catch (error) {
    const { name, message } = error as Error;
    // What the reader refuses; anything else is a mistake of ours.
    throw name === 'TypeError' || name === 'RangeError' ? new UsageError(message) : error;
  }
}

async function readMetrics(source: string, alerts: DashboardsConfig, file: FileView | undefined): Promise<MetricsView> {
  const text = await readMetricsText(source);
  try {
    return viewMetrics(parseMetrics(text), { alerts, file });
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${shownSource(source)}: ${error.message}`) : error;
  }
}

/** The configuration of the alerts; what can never be reached in it is for the rules to tell. */
function readAlerts(path: string | undefined): DashboardsConfig {
  const given = path === undefined ? {} : readDashboardsOptions(path);
  try {
    const { maxAttempts = resolveConfig().maxAttempts } = given;
    // As many attempts as let everything be reached.
    return { ...resolveConfig({ ...given, maxAttempts: Number.MAX_SAFE_INTEGER }), maxAttempts };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`${path}: ${(error as Error).message}`);
  }
}

const SHADOWED = 'shadowed-file';

/** Of several files with a usual name only the first is read. */
function shadowed(path: string): Finding[] {
  const others = ['yaml', 'yml'].map(ending => join(dirname(path), `retryscope.config.${ending}`));
  if (process.env.RETRYSCOPE_CONFIG) return [];
  return others
    .filter(other => other !== path && existsSync(other))
    .map(other => ({
      code: SHADOWED,
      severity: 'warning',
      where: other,
      what: `It is not read: ${path} comes before it.`,
      why: 'What somebody changes in it has no effect.',
      fix: 'Take one of the two away.',
    }));
}
