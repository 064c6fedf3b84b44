import type { CallInfo } from '../src/engine/observer.ts';

/**
 * How a log line learns the span that it belongs to. The seam gives observers no sight of each other, and the span of a
 * call is not active where its log lines are written.
 *
 * The trick: the engine asks all observers about a new call one after the other, in one synchronous run. What the
 * tracing observer notes here, or that it made no span, is therefore still true when a logging observer behind it reads
 * it; the next call overwrites it.
 */
export function noteCallSpan(info: CallInfo, span: LinkedSpan | undefined): void {
  noted.info = info;
  noted.span = span;
}

/** Reads the notes for one logging observer. */
export class SpanLink {
  #isBehindTracer: boolean | undefined;

  /** The span of the call that observers are asked about right now. */
  take(info: CallInfo): LinkedSpan | undefined {
    const isNoted = noted.info === info;
    // No note at all at the first call: no tracing observer stands in front of this one. What it may find later was
    // noted behind it, for an earlier call, and a wrong span is worse than none.
    this.#isBehindTracer ??= isNoted;
    return isNoted && this.#isBehindTracer ? noted.span : undefined;
  }
}

/** What a log line needs of a span. */
export interface LinkedSpan {
  spanContext(): { readonly traceId: string; readonly spanId: string };
}

interface Note {
  info: CallInfo | undefined;
  span: LinkedSpan | undefined;
}

/** Shared by the copies of the package in a process: the ESM door may trace what the CommonJS entry logs. */
const KEY = Symbol.for('retryscope.span-link.1');
const shared = globalThis as { [KEY]?: Note };
const noted: Note = shared[KEY] ?? { info: undefined, span: undefined };
shared[KEY] = noted;
