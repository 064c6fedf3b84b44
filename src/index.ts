import { addDefaultObservers } from '../instrumentation/default-observers.ts';

// The one side effect of the main entry.
addDefaultObservers();

export type { AttemptMessage, CallMessage } from '../instrumentation/channel/index.ts';
export type { AttemptContext, AttemptFunction } from './engine/attempt.ts';
export type { Backoff } from './engine/backoff.ts';
export {
  type Classifier,
  type ClassifyContext,
  classifyError,
  type ErrorConstructorLike,
  type ErrorVerdict,
  type RetryOn,
} from './engine/classify.ts';
export type { Clock, Hold } from './engine/clock.ts';
export { addObserver } from './engine/default-observer.ts';
export { describeError, type ErrorDescription, errorType } from './engine/describe-error.ts';
export {
  AttemptTimeoutError,
  BulkheadFullError,
  CircuitOpenError,
  DeadlineExceededError,
  isRetryError,
  NonRetryableError,
  OperationClosedError,
  RateLimitedError,
  type RetryErrorCode,
} from './engine/errors.ts';
export { type FaultSource, faultCounts } from './engine/faults.ts';
export type { Hedge } from './engine/hedge.ts';
export type { Jitter } from './engine/jitter.ts';
export { lateResults } from './engine/late-results.ts';
export type {
  AdaptiveLimit,
  AttemptVerdict,
  Breaker,
  Budget,
  ConcurrencyLimit,
  DepositSource,
  Permit,
} from './engine/limits.ts';
export type { Nested } from './engine/nesting.ts';
export type {
  AttemptEnd,
  AttemptInfo,
  AttributeValue,
  CallEnd,
  CallInfo,
  CallScope,
  HedgeStarted,
  RetryEvent,
  RetryObserver,
  RetryScheduled,
  Scope,
  SpanIdentifiers,
} from './engine/observer.ts';
export {
  DEFAULTS,
  type Fallback,
  type RetryHookEvent,
  type RetryOptions,
  type StopHookEvent,
} from './engine/options.ts';
export type { CallOutcome, DelaySource, ErrorClass, StopReason } from './engine/outcome.ts';
export { createRedactor, type RedactorOptions, redact, setRedactor } from './engine/redact.ts';
export type { Redactor } from './engine/redactor.ts';
export type { RetrySummary } from './engine/retry-summary.ts';
export type { LateResults, TestingMode } from './engine/runtime.ts';
export { retrySummary } from './engine/summary.ts';
export { setTesting } from './engine/testing.ts';
export { type AttemptResult, attempts, type IteratedAttempt } from './forms/attempts.ts';
export { type MethodContext, type RetryDecorator, retryWithBackoff } from './forms/decorator.ts';
export { retry } from './forms/retry.ts';
export { type CallOptions, RetryPolicy } from './forms/retry-policy.ts';
export { retrySync } from './forms/retry-sync.ts';
export { RetryableOperation } from './forms/retryable-operation.ts';
export { withRetry } from './forms/with-retry.ts';
export type { Wrapped } from './forms/wrap.ts';
export { AcceptThrottle, type AcceptThrottleOptions } from './limits/accept-throttle.ts';
export { AwsBudget, type AwsBudgetOptions } from './limits/aws-budget.ts';
export type { BreakerResult, BreakerState, BreakerStateName } from './limits/breaker-state.ts';
export type { BucketOptions } from './limits/bucket-budget.ts';
export type { BudgetMode, BudgetState } from './limits/budget-state.ts';
export { Bulkhead, type BulkheadOptions, type BulkheadState } from './limits/bulkhead.ts';
export {
  type BreakerChange,
  type BreakerListener,
  CircuitBreaker,
  type CircuitBreakerOptions,
} from './limits/circuit-breaker.ts';
export { CountedBudget } from './limits/counted-budget.ts';
export { CubicRate, type CubicRateOptions } from './limits/cubic-rate.ts';
export { GrpcBudget, type GrpcBudgetOptions } from './limits/grpc-budget.ts';
export { LatencyHedge, type LatencyHedgeOptions } from './limits/latency-hedge.ts';
export { RetryBudget, type RetryBudgetOptions } from './limits/retry-budget.ts';
export type { RetryCost, RetryCosts } from './limits/token-units.ts';
export type { TripRule } from './limits/trip-rule.ts';
export { WindowBudget, type WindowBudgetOptions } from './limits/window-budget.ts';
