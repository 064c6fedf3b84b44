import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';

/** One call as its spans tell it; all times are milliseconds. */
export interface CallTrace {
  readonly traceId: string;
  readonly operation: string;
  /** `success`, `success_after_retry`, or why it stopped. */
  readonly outcome: string;
  readonly durationMs: number;
  readonly waitedMs: number;
  readonly attempts: readonly AttemptTrace[];
}

/** One attempt of it. */
export interface AttemptTrace {
  readonly number: number;
  /** From the start of the call. */
  readonly startMs: number;
  readonly durationMs: number;
  /** Undefined when it succeeded. */
  readonly errorType: string | undefined;
  /** `retry`, or why there was none; undefined when it succeeded. */
  readonly next: string | undefined;
  readonly nextDelayMs: number | undefined;
  /** Where the wait before this attempt came from. */
  readonly delaySource: string;
}

/** A span processor, as a user's exporter has one: it puts the spans of each call together when the call has ended. */
export function collectCalls(onCall: (call: CallTrace) => void): SpanProcessor {
  const attempts = new Map<string, ReadableSpan[]>();
  return {
    onStart: () => undefined,
    onEnd: span => {
      const parent = span.parentSpanContext?.spanId;
      if (span.attributes['retry.attempt'] !== undefined && parent !== undefined) {
        attempts.set(parent, [...(attempts.get(parent) ?? []), span]);
      } else if (span.attributes['retry.outcome'] !== undefined) {
        const { spanId } = span.spanContext();
        onCall(toCall(span, attempts.get(spanId) ?? []));
        attempts.delete(spanId);
      }
    },
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
}

function toCall(span: ReadableSpan, attempts: readonly ReadableSpan[]): CallTrace {
  return {
    traceId: span.spanContext().traceId,
    operation: String(span.attributes['retry.operation']),
    // To the schema a call that leaves its process was aborted; a person is told where it went.
    outcome: String(span.attributes['error.type'] === HANDED_OVER ? 'handed_over' : span.attributes['retry.outcome']),
    durationMs: toMs(span.duration),
    waitedMs: Number(span.attributes['retry.total_delay']) * 1000,
    // A hedge that lost ends before the attempt beside which it was started.
    attempts: attempts.map(attempt => toAttempt(attempt, span)).sort((a, b) => a.number - b.number),
  };
}

function toAttempt({ attributes, startTime, duration }: ReadableSpan, call: ReadableSpan): AttemptTrace {
  const delay = attributes['retry.next_delay'];
  return {
    number: Number(attributes['retry.attempt']),
    startMs: toMs(startTime) - toMs(call.startTime),
    durationMs: toMs(duration),
    errorType: attributes['error.type'] as string | undefined,
    next: attributes['retry.next'] as string | undefined,
    nextDelayMs: delay === undefined ? undefined : Number(delay) * 1000,
    delaySource: String(attributes['retry.delay.source']),
  };
}

function toMs([seconds, nanoseconds]: readonly [number, number]): number {
  return seconds * 1000 + nanoseconds / 1e6;
}

const HANDED_OVER = 'ERR_RETRY_HANDED_OVER';
