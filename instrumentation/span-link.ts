import type { CallInfo } from '../src/engine/observer.ts';

/**
 * How a log line learns the span that it belongs to. The seam gives observers no sight of each other, and the span of a
 * call is not active where its log lines are written.
 *
 * The trick: the engine asks all observers about a new call one after the other, in one synchronous run. What the
 * tracing observer notes here is therefore still true when a logging observer behind it takes it; `info` guards
 * against a note that nobody took.
 */
export function noteCallSpan(info: CallInfo, span: LinkedSpan | undefined): void {
  notedInfo = info;
  notedSpan = span;
}

/** The span that was noted for the call that observers are asked about right now. */
export function takeCallSpan(info: CallInfo): LinkedSpan | undefined {
  const taken = notedInfo === info ? notedSpan : undefined;
  notedInfo = undefined;
  notedSpan = undefined;
  return taken;
}

/** What a log line needs of a span. */
export interface LinkedSpan {
  spanContext(): { readonly traceId: string; readonly spanId: string };
}

let notedInfo: CallInfo | undefined;
let notedSpan: LinkedSpan | undefined;
