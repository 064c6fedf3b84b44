import type {
  AttemptEnd,
  AttemptInfo,
  CallEnd,
  CallInfo,
  CallScope,
  RetryEvent,
  RetryObserver,
} from '../engine/observer.ts';

/**
 * An observer that keeps everything it is told, in memory.
 *
 * @example
 * ```ts
 * const observer = recordCalls();
 * await retry(flaky, { observer });
 * expect(observer.calls[0]?.end?.outcome).toBe('success');
 * ```
 */
export function recordCalls(): CallRecorder {
  const calls: RecordedCall[] = [];
  return {
    calls,
    call: info => {
      const recorded: RecordedCall = { info, attempts: [], events: [], end: undefined };
      calls.push(recorded);
      return scopeOf(recorded);
    },
  };
}

/** The observer that {@link recordCalls} makes. */
export interface CallRecorder extends RetryObserver {
  /** The calls, in the order in which they started. */
  readonly calls: readonly RecordedCall[];
}

/** One call as its observer was told of it. */
export interface RecordedCall {
  readonly info: CallInfo;
  readonly attempts: RecordedAttempt[];
  readonly events: RetryEvent[];
  /** Undefined until the call has ended. */
  end: CallEnd | undefined;
}

/** One attempt as its observer was told of it. */
export interface RecordedAttempt {
  readonly info: AttemptInfo;
  /** Undefined until the attempt has ended. */
  end: AttemptEnd | undefined;
}

function scopeOf(call: RecordedCall): CallScope {
  return {
    attempt: info => {
      const attempt: RecordedAttempt = { info, end: undefined };
      call.attempts.push(attempt);
      return {
        end: end => {
          attempt.end = end;
        },
      };
    },
    event: event => {
      call.events.push(event);
    },
    end: end => {
      call.end = end;
    },
  };
}
