import { burnAlerts } from './burn-alerts.ts';
import { callAlerts } from './call-alerts.ts';
import type { DashboardsConfig } from './config.ts';
import { protectionAlerts } from './protection-alerts.ts';
import type { RuleFile } from './rule-file.ts';
import { evaluation } from './rules.ts';
import { telemetryAlerts } from './telemetry-alerts.ts';

/** Every alert. Those in one group are evaluated after the rules that they read, if that file comes first. */
export function alertRules(config: DashboardsConfig): RuleFile {
  const interval = evaluation(config);
  return {
    groups: [
      { name: 'retryscope-burn', interval, rules: burnAlerts(config) },
      { name: 'retryscope-calls', interval, rules: callAlerts(config) },
      { name: 'retryscope-protection', interval, rules: protectionAlerts(config) },
      { name: 'retryscope-telemetry', interval, rules: telemetryAlerts(config) },
    ],
  };
}
