import { type Context, type Span, SpanKind } from '@opentelemetry/api';
import { ATTRIBUTES } from '../names.ts';
import { attemptNumberOf } from './attempt-context.ts';

/**
 * A span processor that sets `http.request.resend_count` (semantic conventions, HTTP spans) on client spans of HTTP
 * requests that are made in attempt 2 or later: 1 in attempt 2, absent in attempt 1.
 *
 * @example
 * ```ts
 * const provider = new TracerProvider({ spanProcessors: [retryContextProcessor(), new BatchSpanProcessor({ exporter })] });
 * ```
 */
export function retryContextProcessor(): RetryContextProcessor {
  return {
    onStart: (span, parent) => {
      const attempt = attemptNumberOf(parent);
      if (attempt === undefined || attempt < 2) return;
      const { kind, attributes } = span as Span & { kind?: SpanKind; attributes?: Record<string, unknown> };
      if (kind !== SpanKind.CLIENT || !isHttp(attributes)) return;
      if (attributes?.[ATTRIBUTES.resendCount] === undefined) span.setAttribute(ATTRIBUTES.resendCount, attempt - 1);
    },
    onEnd: () => undefined,
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}

/** A `SpanProcessor` of either line of the SDK, without a dependency on it. */
export interface RetryContextProcessor {
  onStart(span: Span, parentContext: Context): void;
  onEnd(): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/** The method is what every version of the HTTP conventions has at the start of a span. */
function isHttp(attributes: Record<string, unknown> | undefined): boolean {
  return attributes?.['http.request.method'] !== undefined || attributes?.['http.method'] !== undefined;
}
