import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** The folder of the scenarios: each file is one that `promtool test rules` reads as it is. */
export const SCENARIOS: string = join(__dirname, 'scenarios');

/** A file of scenarios. */
export interface ScenarioFile {
  readonly name: string;
  readonly evaluation_interval: string;
  readonly tests: readonly Scenario[];
}

/** A service over some time, and what is expected of rules and alerts at points of it. */
export interface Scenario {
  readonly name: string;
  readonly input_series: readonly { readonly series: string; readonly values: string }[];
  readonly alert_rule_test?: readonly AlertCheck[];
  readonly promql_expr_test?: readonly { readonly expr: string }[];
}

/** The alerts of a name that fire at some time; all of them, with every label and annotation. */
export interface AlertCheck {
  readonly eval_time: string;
  readonly alertname: string;
  readonly exp_alerts?: readonly FiringAlert[];
}

/** What an alert says when it fires. */
export interface FiringAlert {
  readonly exp_labels: Readonly<Record<string, string>>;
  readonly exp_annotations: Readonly<Record<string, string>>;
}

/** Every file of scenarios, by name. */
export function readScenarios(): ScenarioFile[] {
  return readdirSync(SCENARIOS)
    .sort()
    .map(name => ({ ...parse(readFileSync(join(SCENARIOS, name), 'utf8')), name }));
}

/** The rules of the repository, and the order of their groups: the alerts read what the rules record. */
export const RULES: { readonly rule_files: readonly string[]; readonly group_eval_order: readonly string[] } = {
  rule_files: ['retry-rules.yml', 'retry-alerts.yml'].map(name =>
    join(__dirname, '../../../dashboards/prometheus', name),
  ),
  group_eval_order: ['rates', 'ratios', 'plain', 'burn', 'calls', 'protection', 'telemetry'].map(
    group => `retryscope-${group}`,
  ),
};

/** The name of a metric in a series, as in `up{job="shop"}`. */
export function metricOf(series: string): string {
  return series.replace(/\{.*$/, '');
}
