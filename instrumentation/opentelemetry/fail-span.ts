import { type Span, SpanStatusCode } from '@opentelemetry/api';
import { ATTRIBUTES } from '../names.ts';

/** The one way in which a span of ours becomes a failed one. The message has been redacted. */
export function failSpan(span: Span, errorType: string, message: string | undefined): void {
  span.setAttribute(ATTRIBUTES.errorType, errorType);
  span.setStatus({ code: SpanStatusCode.ERROR, ...(message === undefined ? undefined : { message }) });
}
