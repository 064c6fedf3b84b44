import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Finding } from './rule.ts';

/** One query of one panel that a rule lets pass. */
export interface Exception {
  readonly rule: string;
  readonly dashboard: string;
  readonly panel: string;
  readonly targetIdx: string;
}

/** What `dashboards/.lint` holds for a rule. Without `entries` the linter would leave out the rule as a whole. */
export interface Exclusion {
  readonly reason?: string;
  readonly entries?: readonly Omit<Exception, 'rule'>[];
}

/** The exclusions of `dashboards/.lint`, by rule. */
export function exclusions(): Readonly<Record<string, Exclusion | null>> {
  const file = readFileSync(join(__dirname, '../../../dashboards/.lint'), 'utf8');
  return (parse(file) as { readonly exclusions: Readonly<Record<string, Exclusion | null>> }).exclusions;
}

/** The exceptions of `dashboards/.lint`, one by one. */
export function exceptions(): Exception[] {
  return Object.entries(exclusions()).flatMap(([rule, exclusion]) =>
    (exclusion?.entries ?? []).map(entry => ({ rule, ...entry })),
  );
}

/** Whether an exception is about a finding. */
export function excuses(exception: Exception, finding: Finding): boolean {
  return (
    exception.rule === finding.rule &&
    exception.dashboard === finding.dashboard &&
    exception.panel === finding.panel &&
    exception.targetIdx === String(finding.targetIdx)
  );
}
