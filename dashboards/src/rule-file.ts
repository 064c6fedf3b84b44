/** A file of rules as Prometheus reads it. */
export interface RuleFile {
  readonly groups: readonly RuleGroup[];
}

/** Rules that are evaluated one after the other, at the same time. */
export interface RuleGroup {
  readonly name: string;
  readonly interval: string;
  readonly rules: readonly (RecordingRule | AlertRule)[];
}

/** A series that is computed from others. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

/** A condition that somebody is told of. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly keep_firing_for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
