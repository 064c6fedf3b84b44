/** Every alert, most urgent kinds first. Each has a runbook of its name in `dashboards/runbooks`. */
export const ALERTS = [
  'RetryBudgetBurn',
  'RetryStorm',
  'RetryExhaustionHigh',
  'RetryNotHelping',
  'RetryBudgetTokensLow',
  'RetryBudgetDenied',
  'RetryBudgetDegraded',
  'CircuitBreakerOpenTooLong',
  'CircuitBreakerFlapping',
  'RetryDelayDominates',
  'DeadLettersNotStored',
  'DeadLettersGrowing',
  'DeadLetterOldestTooOld',
  'DeadLettersQuarantined',
  'DeadLettersEvicted',
  'RetryMetricsMissing',
  'RetryOperationSilent',
  'RetryTelemetryErrors',
  'RetryMetricsOverflow',
] as const;

/** The name of an alert. */
export type AlertName = (typeof ALERTS)[number];
