import type { DashboardJson } from './dashboard-json.ts';
import { PANEL_RULES } from './panel-rules.ts';
import { type Finding, PROCESS_LABELS, type ProcessLabels, type Rule } from './rule.ts';
import { TARGET_RULES } from './target-rules.ts';
import { VARIABLE_RULES } from './variable-rules.ts';

/**
 * What Grafana's dashboard linter asks for, in words of our own: the linter is written in Go, and cannot be installed
 * with the other tools. The names are those that it prints, and that `dashboards/.lint` has.
 */
export const RULES: readonly Rule[] = [...VARIABLE_RULES, ...PANEL_RULES, ...TARGET_RULES];

/** Everything that the rules refuse about a dashboard. */
export function lint(dashboard: DashboardJson, labels: ProcessLabels = PROCESS_LABELS): Finding[] {
  return RULES.flatMap(rule => rule.check(dashboard, labels));
}
