import type { DelaySource, ErrorClass, StopReason } from './outcome.ts';

/**
 * The seam: everything the engine tells the outside world.
 *
 * An observer may *place* the synchronous start of the work in its own context (`run`) and is *told* how the
 * work ended (`end`). The engine keeps the loop, the promise and the error: an observer that throws or rejects, skips
 * the function, calls it twice or returns rubbish changes nothing for the caller.
 *
 * @example
 * ```ts
 * const slowCalls: RetryObserver = {
 *   call: info => ({
 *     end: end => {
 *       if (end.durationMs > 1000) console.warn(`${info.operation} took ${end.durationMs} ms`);
 *     },
 *   }),
 * };
 * ```
 */
export interface RetryObserver {
  /** Once per call, before the first attempt. `undefined` means "not interested" and costs one comparison. */
  call(info: CallInfo): CallScope | undefined;
  /** Once per policy and operation, when the policy is made: the moment to create series at 0. */
  prepare?(info: CallInfo): void;
}

/** One half of the seam: a piece of work that an observer watches. */
export interface Scope<End> {
  /** Calls `fn` once, synchronously, in the observer's context, and returns what `fn` returns. */
  run?<R>(fn: () => R): R;
  /** Called exactly once, after the work has settled. */
  end?(end: End): void;
}

/** What an observer holds for one call. */
export interface CallScope extends Scope<CallEnd> {
  /** Before each attempt. `undefined` means "not interested in this attempt". */
  attempt?(info: AttemptInfo): Scope<AttemptEnd> | undefined;
  /** Something between two attempts; see {@link RetryEvent}. */
  event?(event: RetryEvent): void;
}

/** A value that telemetry can carry. */
export type AttributeValue = string | number | boolean;

/** The facts of a call that are known before it starts. One frozen object serves all calls of a policy and operation. */
export interface CallInfo {
  /** The low-cardinality name of what is retried. */
  readonly operation: string;
  /** Total executions allowed, the first included. `Infinity` when only time bounds the call. */
  readonly maxAttempts: number;
  /** The caller's own attributes for the call span. */
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** For a call that goes on after it was handed over: the span where it was before, to link to. */
  readonly link?: SpanIdentifiers;
}

/** Where a span is to be found, in lower-case hexadecimal digits. */
export interface SpanIdentifiers {
  /** 32 digits. */
  readonly traceId: string;
  /** 16 digits. */
  readonly spanId: string;
}

/** The facts of an attempt that are known before it starts. */
export interface AttemptInfo {
  /** 1 for the first attempt. */
  readonly number: number;
  /** Milliseconds waited before this attempt; 0 for the first. */
  readonly delayMs: number;
  /** Where that delay came from; `none` for the first attempt. */
  readonly delaySource: DelaySource;
}

/** How an attempt ended, and what follows. It is told after the decision, so `next` is final. */
export type AttemptEnd =
  | { readonly outcome: 'success'; readonly durationMs: number }
  | {
      readonly outcome: 'failure';
      readonly durationMs: number;
      /** What was thrown: any value at all, never to be trusted. */
      readonly error: unknown;
      readonly errorClass: ErrorClass;
      /** `hedge`: another attempt of the call was running at the same time, and decides or has decided. */
      readonly next: 'retry' | 'hedge' | StopReason;
      /** Milliseconds until the next attempt; 0 when `next` is no retry. */
      readonly nextDelayMs: number;
      /** Milliseconds since it ended, where that became known only now, as with retries of other libraries. Default 0. */
      readonly endedAgoMs?: number;
    };

/** How a call ended. */
export type CallEnd =
  | {
      readonly outcome: 'success';
      readonly attempts: number;
      readonly durationMs: number;
      readonly totalDelayMs: number;
      /** Tokens left in the policy's budget; undefined where there is none. */
      readonly budgetTokens?: number | undefined;
    }
  | {
      readonly outcome: 'failure';
      readonly attempts: number;
      readonly durationMs: number;
      readonly totalDelayMs: number;
      /** Tokens left in the policy's budget; undefined where there is none. */
      readonly budgetTokens?: number | undefined;
      readonly reason: StopReason;
      /** What the caller gets: any value at all, never to be trusted. */
      readonly error: unknown;
    };

/** Something that happened between two attempts. */
export type RetryEvent = RetryScheduled | HedgeStarted;

/** An attempt has failed, and another one follows after a wait. */
export interface RetryScheduled {
  readonly type: 'retry_scheduled';
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  readonly nextAttempt: number;
  readonly delayMs: number;
  readonly delaySource: DelaySource;
  /** What was thrown: any value at all, never to be trusted. */
  readonly error: unknown;
}

/** An attempt was slow, and another one starts beside it. */
export interface HedgeStarted {
  readonly type: 'hedge_started';
  /** The attempt that is slow, from 1. */
  readonly attempt: number;
  readonly nextAttempt: number;
  /** How long the slow attempt has been running. */
  readonly delayMs: number;
}
