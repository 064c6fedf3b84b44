import { context, isSpanContextValid, SpanKind, trace } from '@opentelemetry/api';
import type { CallInfo, CallScope, RetryObserver } from '../../src/engine/observer.ts';
import { noteCallSpan } from '../span-link.ts';
import { MeteredCall } from '../store/observer.ts';
import { store } from '../store/store.ts';
import { Binding } from './binding.ts';
import { factsOf } from './call-facts.ts';
import type { OpenTelemetryOptions } from './options.ts';
import { TracedCall } from './traced-call.ts';
import { placedCall, UnsampledRoot } from './untraced-call.ts';

/**
 * Shows calls as spans, and counts and measures them, through whichever OpenTelemetry SDK is registered: before or
 * after this observer was made. Without one it lets every call pass.
 */
export function openTelemetryObserver(options: OpenTelemetryOptions = {}): RetryObserver {
  const binding = new Binding(options);
  return {
    call: info => {
      binding.refresh();
      noteCallSpan(info, undefined);
      if (binding.tracer !== undefined) return tracedCall(info, binding.tracer, options);
      return store.readers.size === 0 ? undefined : new MeteredCall(store.cellsFor(info));
    },
    prepare: info => {
      store.cellsFor(info);
    },
  };
}

function tracedCall(
  info: CallInfo,
  tracer: NonNullable<Binding['tracer']>,
  { attemptSpans }: OpenTelemetryOptions,
): CallScope | undefined {
  const facts = factsOf(info);
  const parent = context.active();
  const span = tracer.startSpan(facts.callName, { kind: SpanKind.INTERNAL, attributes: facts.callAttributes }, parent);
  if (span.isRecording()) {
    noteCallSpan(info, span);
    return new TracedCall(facts, tracer, span, trace.setSpan(parent, span), attemptSpans);
  }
  const isCounted = store.readers.size > 0;
  const parentSpan = trace.getSpanContext(parent);
  const hasParent = parentSpan !== undefined && isSpanContextValid(parentSpan);
  const hasSpan = isSpanContextValid(span.spanContext());
  // Under a parent that is not sampled, or with tracing suppressed, the caller's own context says all there is to say.
  if (hasParent || !hasSpan) return isCounted ? new MeteredCall(facts.cells) : undefined;
  const place = trace.setSpan(parent, span);
  return isCounted ? new UnsampledRoot(facts.cells, place) : placedCall(place);
}
