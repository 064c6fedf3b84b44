/** Something dangerous, and what to do about it. */
export interface Finding {
  /** The same in every version, for `--ignore` and for programs. */
  readonly code: string;
  readonly severity: Severity;
  /** The place in the policy file, such as `policies.users`, or the series, such as `retry_overflow_total{source="limit"}`. */
  readonly where: string;
  readonly what: string;
  /** One sentence: what happens because of it. */
  readonly why: string;
  readonly fix: string;
}

/** How bad it is, the worst first. */
export const SEVERITIES = ['error', 'warning', 'info'] as const;

/** `error`: makes an outage worse, or does not work at all; `warning`: does in some cases; `info`: worth knowing. */
export type Severity = (typeof SEVERITIES)[number];

/** One thing that a subject (a policy file, or metrics) is examined for. Pure. */
export interface Rule<Subject> {
  readonly code: string;
  readonly severity: Severity;
  readonly why: string;
  readonly fix: string;
  find(subject: Subject): readonly Hit[];
}

/** Where a rule is broken, and how; it may say its own severity and cure, where they differ from the rule's. */
export interface Hit {
  readonly where: string;
  readonly what: string;
  readonly severity?: Severity;
  readonly fix?: string;
}

/** Everything that the rules find, the worst first, then in the order of the rules. */
export function examine<Subject>(rules: readonly Rule<Subject>[], subject: Subject): Finding[] {
  const found = rules.flatMap(rule =>
    rule.find(subject).map(({ where, what, severity = rule.severity, fix = rule.fix }) => ({
      code: rule.code,
      severity,
      where,
      what,
      why: rule.why,
      fix,
    })),
  );
  return worstFirst(found);
}

/** In the order of severity; else as they were. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}
