import type { Backoff } from './backoff.ts';
import type { RetryOn } from './classify.ts';
import type { Clock } from './clock.ts';
import type { Hedge } from './hedge.ts';
import type { Jitter } from './jitter.ts';
import type { AdaptiveLimit, Breaker, Budget, ConcurrencyLimit } from './limits.ts';
import type { Nested } from './nesting.ts';
import type { AttributeValue, RetryObserver } from './observer.ts';
import type { DelaySource } from './outcome.ts';
import type { RetrySummary } from './retry-summary.ts';

/**
 * How to retry. All times are milliseconds. An options object is read once, when it is first used, and must not be
 * changed afterwards; only `signal` is read at each call.
 */
export interface RetryOptions<T = unknown, F = never> {
  /**
   * What is retried: the name of the spans, the metric label and the log field, so keep it low in cardinality.
   * Default: the function's name, else `anonymous`.
   */
  readonly operation?: string;
  /**
   * Total executions, the first included. Default 3. An integer of 1 or more; `Infinity` only together with
   * `maxElapsed` or `signal`.
   */
  readonly maxAttempts?: number;
  /** The delay before the first retry. Default 1000. Range 0 to 2^31-1. */
  readonly initialDelay?: number;
  /** No delay is longer than this. Default 60000. Range 0 to 2^31-1. */
  readonly maxDelay?: number;
  /** What the delay is multiplied by from retry to retry. Default 2. Range 1 to 1000. */
  readonly exponentialBase?: number;
  /** How delays are spread; see {@link Jitter}. Default true: between half and one and a half of the delay. */
  readonly jitter?: Jitter;
  /** How delays grow; see {@link Backoff}. Default `'exponential'`. */
  readonly backoff?: Backoff;
  /** Which errors are retried; see {@link RetryOn}. Default: those that `classifyError` calls transient or throttled. */
  readonly retryOn?: RetryOn;
  /**
   * True for a result that is to be retried like a transient error. When the attempts run out, the caller gets the
   * last result. Default: every result is a success.
   */
  retryOnResult?(result: T): boolean | PromiseLike<boolean>;
  /** Limit of one attempt. Default none. Range 1 to 2^31-1. An attempt that ignores its signal is left behind. */
  readonly attemptTimeout?: number;
  /**
   * Limit of the whole call, attempts and waits. Default none. Range 1 to 2^31-1. A wait that would pass it is not
   * started, and a running attempt is cut off.
   */
  readonly maxElapsed?: number;
  /** Aborts the call at once, in every phase, with `signal.reason`. Default none. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether the server's `Retry-After` decides the next delay. Default true; a function reads your own hint from
   * what was thrown, in milliseconds. A hint longer than `maxDelay` stops the call.
   */
  readonly retryAfter?: boolean | ((failure: unknown) => number | undefined);
  /**
   * An absolute limit of the whole call: a `Date`, or milliseconds since 1970. Default none. Holds beside `maxElapsed`;
   * a call whose deadline has passed makes no attempt. Read at each call.
   */
  readonly deadline?: Date | number | undefined;
  /**
   * Asked before each retry, and credited with successes; see `RetryBudget`. One budget may serve any number of
   * policies. Default none.
   */
  readonly budget?: Budget;
  /** Lets attempts through, or not; see `CircuitBreaker`. One breaker may serve any number of policies. Default none. */
  readonly breaker?: Breaker;
  /** Limits the rate of attempts, first attempts included; see `CubicRate` and `AcceptThrottle`. Default none. */
  readonly adaptive?: AdaptiveLimit;
  /** Limits attempts that run at the same time; see `Bulkhead`. Default none. */
  readonly bulkhead?: ConcurrencyLimit;
  /**
   * Starts a second attempt beside one that is slow, and takes whichever succeeds first: after a number of milliseconds,
   * or after what a `LatencyHedge` has measured. **Only for operations that may run twice.** The second attempt counts
   * as one of `maxAttempts`, and the budget is asked for it as for a retry. Default none. Range 0 to 2^31-1.
   */
  readonly hedge?: number | Hedge;
  /**
   * What the caller gets in place of the last error when the call gives up; see {@link Fallback}. It is not asked when
   * the caller itself aborted. Default none: the error is thrown.
   */
  readonly fallback?: Fallback<F>;
  /** Which layer retries where calls nest; see {@link Nested}. Default `'inner'`: the one nearest to the failure. */
  readonly nested?: Nested;
  /** Called before each wait. What it throws is counted, never passed on. */
  onRetry?(event: RetryHookEvent): void;
  /** Called when the call gives up. What it throws is counted, never passed on. */
  onStop?(event: StopHookEvent): void;
  /** Watches the calls of this policy in place of the default observers; see {@link RetryObserver}. */
  readonly observer?: RetryObserver;
  /** Your own attributes for the call span. Default none. */
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Time, randomness and waiting. Default the system's. */
  readonly clock?: Clock;
  /** True lets the process exit while a call waits. Default false. */
  readonly unref?: boolean;
}

/**
 * A value, or a function of the last error and the summary of the call. When the function throws or rejects, the caller
 * gets the last error, untouched, and the fault is counted. A function may take its time: `maxElapsed` and `deadline` are
 * limits of the attempts and do not end it, while the caller's `signal` does, at once and with its reason.
 */
export type Fallback<F> = F | ((error: unknown, summary: RetrySummary) => F | PromiseLike<F>);

/** What `onRetry` is told. */
export interface RetryHookEvent {
  readonly operation: string;
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly error: unknown;
  /** Milliseconds until the next attempt. */
  readonly delayMs: number;
  readonly delaySource: DelaySource;
}

/** What `onStop` is told. */
export interface StopHookEvent extends RetrySummary {
  readonly operation: string;
  readonly error: unknown;
}

/** What holds where an option is left out. */
export const DEFAULTS: Readonly<
  Required<
    Pick<
      RetryOptions,
      | 'maxAttempts'
      | 'initialDelay'
      | 'maxDelay'
      | 'exponentialBase'
      | 'jitter'
      | 'backoff'
      | 'retryAfter'
      | 'nested'
      | 'unref'
    >
  >
> = Object.freeze({
  maxAttempts: 3,
  initialDelay: 1000,
  maxDelay: 60_000,
  exponentialBase: 2,
  jitter: true,
  backoff: 'exponential',
  retryAfter: true,
  nested: 'inner',
  unref: false,
});
