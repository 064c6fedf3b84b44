import { context, INVALID_TRACEID, type Span, type Tracer, trace } from '@opentelemetry/api';
import { reportFault } from '../../src/engine/faults.ts';
import type { CallInfo, CallScope, RetryObserver } from '../../src/engine/observer.ts';
import { isTracingLetters, setLetterTracing } from '../../src/recovery/dead-letters/letter-tracing.ts';
import { noteCallSpan } from '../span-link.ts';
import { COUNTS, CountingTurn } from '../store/counting-turn.ts';
import { MeteredCall } from '../store/observer.ts';
import { store } from '../store/store.ts';
import { Binding } from './binding.ts';
import { factsOf } from './call-facts.ts';
import { letterSpans } from './letter-spans.ts';
import type { OpenTelemetryOptions } from './options.ts';
import { checked, processSettings } from './settings.ts';
import { TracedCall } from './traced-call.ts';
import { placedCall, UnsampledRoot } from './untraced-call.ts';

/**
 * Shows calls as spans, and counts and measures them, through whichever OpenTelemetry SDK is registered: before or
 * after this observer was made. Without one it lets every call pass.
 *
 * The main entry has one in place already. Use this for `./core`, or for a policy that is to be shown differently;
 * {@link configureOpenTelemetry} changes the one of the main entry. The first one of a process shows its dead letters too.
 *
 * @param options default: what {@link configureOpenTelemetry} has set
 * @throws TypeError when an option is wrong
 */
export function openTelemetryObserver(options?: OpenTelemetryOptions): RetryObserver {
  const settings = options === undefined ? processSettings : { options: checked(options) };
  const binding = new Binding(settings);
  if (!isTracingLetters()) setLetterTracing(letterSpans(binding));
  const observer = {
    [COUNTS]: true,
    call: (info: CallInfo): CallScope | undefined => {
      binding.refresh();
      noteCallSpan(info, undefined);
      const { tracer } = binding;
      const isCounted = store.readers.size > 0 && turn.isMine();
      if (tracer !== undefined) return tracedCall(info, tracer, isCounted ? 'counted' : 'uncounted', settings.options);
      return isCounted ? new MeteredCall(store.cellsFor(info)) : undefined;
    },
    prepare: (info: CallInfo): void => {
      store.cellsFor(info);
    },
  };
  const turn = new CountingTurn(observer);
  return observer;
}

function tracedCall(
  info: CallInfo,
  tracer: Tracer,
  counting: 'counted' | 'uncounted',
  { attemptSpans }: OpenTelemetryOptions,
): CallScope | undefined {
  const facts = factsOf(info);
  const cells = counting === 'counted' ? facts.cells : undefined;
  const parent = context.active();
  let span: Span;
  try {
    span = tracer.startSpan(facts.callName, facts.callSpan, parent);
  } catch (fault) {
    // A broken sampler or span processor takes the span, not the numbers.
    reportFault('tracer', fault);
    return cells === undefined ? undefined : new MeteredCall(cells);
  }
  if (span.isRecording()) {
    noteCallSpan(info, span);
    return new TracedCall(facts, cells, tracer, span, trace.setSpan(parent, span), attemptSpans);
  }
  const { traceId } = span.spanContext();
  // Under a parent that is not sampled, or with tracing suppressed, the caller's own context says all there is to say.
  if (traceId === INVALID_TRACEID || traceId === trace.getSpanContext(parent)?.traceId) {
    return cells === undefined ? undefined : new MeteredCall(cells);
  }
  const place = trace.setSpan(parent, span);
  return cells === undefined ? placedCall(place) : new UnsampledRoot(cells, place);
}
