import type { DashboardsConfig } from '../../dashboards/src/config.ts';
import { unreachableThreshold } from './alerts-rule.ts';
import type { FileView } from './file-view.ts';
import type { Rule } from './finding.ts';
import { amplification } from './metrics-rules/amplification.ts';
import { breakerForcedOpen } from './metrics-rules/breaker-forced-open.ts';
import { budgetDegraded } from './metrics-rules/budget-degraded.ts';
import { budgetNeverGrants } from './metrics-rules/budget-never-grants.ts';
import { lateResults } from './metrics-rules/late-results.ts';
import { longWaits } from './metrics-rules/long-waits.ts';
import { manyOperations } from './metrics-rules/many-operations.ts';
import { missingFamilies } from './metrics-rules/missing-families.ts';
import { missingLabels } from './metrics-rules/missing-labels.ts';
import { nestedRetries } from './metrics-rules/nested-retries.ts';
import { noMetrics } from './metrics-rules/no-metrics.ts';
import { operationName } from './metrics-rules/operation-name.ts';
import { overflow } from './metrics-rules/overflow.ts';
import { retriesWithoutBudget } from './metrics-rules/retries-without-budget.ts';
import { telemetryErrors } from './metrics-rules/telemetry-errors.ts';
import { unreachableBurn } from './metrics-rules/unreachable-burn.ts';
import { unseenOperation } from './metrics-rules/unseen-operation.ts';
import type { MetricsView } from './metrics-view.ts';
import { breakerNeverOpens } from './rules/breaker-never-opens.ts';
import { breakerOpensAtOnce } from './rules/breaker-opens-at-once.ts';
import { breakerWaits } from './rules/breaker-waits.ts';
import { callsPay } from './rules/calls-pay.ts';
import { floorPerProcess } from './rules/floor-per-process.ts';
import { generousBudget } from './rules/generous-budget.ts';
import { hedgeNotIdempotent } from './rules/hedge-not-idempotent.ts';
import { hedgeTooEarly } from './rules/hedge-too-early.ts';
import { hintIgnored } from './rules/hint-ignored.ts';
import { largeBudget } from './rules/large-budget.ts';
import { longerThanCallers } from './rules/longer-than-callers.ts';
import { nestedBoth } from './rules/nested-both.ts';
import { neverApplied } from './rules/never-applied.ts';
import { noBudget } from './rules/no-budget.ts';
import { noCap } from './rules/no-cap.ts';
import { noDelay } from './rules/no-delay.ts';
import { noJitter } from './rules/no-jitter.ts';
import { noTimeLimit } from './rules/no-time-limit.ts';
import { noTimeToRetry } from './rules/no-time-to-retry.ts';
import { operationTwice } from './rules/operation-twice.ts';
import { retryNotIdempotent } from './rules/retry-not-idempotent.ts';
import { retryOnEverything } from './rules/retry-on-everything.ts';
import { retryOnNothing } from './rules/retry-on-nothing.ts';
import { sameLabel } from './rules/same-label.ts';
import { sentOnce } from './rules/sent-once.ts';
import { twoLayers } from './rules/two-layers.ts';
import { unboundedAttempts } from './rules/unbounded-attempts.ts';
import { unreachableAlert } from './rules/unreachable-alert.ts';
import { unreachableBudget } from './rules/unreachable-budget.ts';
import { unreachableRule } from './rules/unreachable-rule.ts';
import { unused } from './rules/unused.ts';

/** What a policy file is examined for. */
export const FILE_RULES: readonly Rule<FileView>[] = [
  breakerNeverOpens,
  breakerOpensAtOnce,
  breakerWaits,
  callsPay,
  floorPerProcess,
  generousBudget,
  hedgeNotIdempotent,
  hedgeTooEarly,
  hintIgnored,
  largeBudget,
  longerThanCallers,
  nestedBoth,
  neverApplied,
  noBudget,
  noCap,
  noDelay,
  noJitter,
  noTimeLimit,
  noTimeToRetry,
  operationTwice,
  retryNotIdempotent,
  sentOnce,
  retryOnEverything,
  retryOnNothing,
  sameLabel,
  twoLayers,
  unboundedAttempts,
  unreachableAlert,
  unreachableBudget,
  unreachableRule,
  unused,
];

/** What the metrics of a process are examined for. */
export const METRICS_RULES: readonly Rule<MetricsView>[] = [
  amplification,
  breakerForcedOpen,
  budgetDegraded,
  budgetNeverGrants,
  lateResults,
  longWaits,
  manyOperations,
  missingFamilies,
  missingLabels,
  nestedRetries,
  noMetrics,
  operationName,
  overflow,
  retriesWithoutBudget,
  telemetryErrors,
  unreachableBurn,
  unseenOperation,
];

/** What the configuration of the alerts is examined for. */
export const ALERT_RULES: readonly Rule<DashboardsConfig>[] = [unreachableThreshold];
