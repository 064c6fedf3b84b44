import { type Context, context, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { errorMessage, errorType } from '../../src/engine/describe-error.ts';
import type { AttemptEnd, AttemptInfo, CallEnd, RetryEvent, Scope } from '../../src/engine/observer.ts';
import { ATTRIBUTES, EVENTS } from '../names.ts';
import { MeteredCall } from '../store/observer.ts';
import { outcomeOf, type RecordContext } from '../store/record.ts';
import { withAttemptNumber } from './attempt-context.ts';
import type { CallFacts } from './call-facts.ts';
import { recordException } from './exceptions.ts';
import type { OpenTelemetryOptions } from './options.ts';

/** A call with a recording span: spans for it and its attempts, and the same counts as any other call. */
export class TracedCall extends MeteredCall {
  readonly facts: CallFacts;
  readonly tracer: Tracer;
  readonly span: Span;
  /** The caller's context with the call span in it. */
  readonly context: Context;
  readonly #attemptSpans: OpenTelemetryOptions['attemptSpans'];
  #at: RecordContext | undefined;

  constructor(
    facts: CallFacts,
    tracer: Tracer,
    span: Span,
    callContext: Context,
    attemptSpans: OpenTelemetryOptions['attemptSpans'],
  ) {
    super(facts.cells);
    this.facts = facts;
    this.tracer = tracer;
    this.span = span;
    this.context = callContext;
    this.#attemptSpans = attemptSpans;
  }

  /**
   * The attempt span is made a child of the call span by hand, so the call span itself never has to be made active:
   * one change of context for an attempt, and none for the call.
   */
  override attempt(info: AttemptInfo): Scope<AttemptEnd> {
    const counted = super.attempt(info);
    const here = info.number === 1 ? this.context : withAttemptNumber(this.context, info.number);
    const wanted = this.#attemptSpans ?? 'always';
    if (wanted === 'never' || (wanted === 'retries' && info.number === 1)) return new PlacedAttempt(here, counted);
    const attributes = this.facts.attemptAttributes(info);
    const span = this.tracer.startSpan(this.facts.attemptName, { kind: SpanKind.INTERNAL, attributes }, here);
    return new TracedAttempt(this, span, trace.setSpan(here, span));
  }

  override event(event: RetryEvent): void {
    this.retryScheduled(event, this.at);
    this.span.addEvent(EVENTS.scheduled, {
      [ATTRIBUTES.attempt]: event.nextAttempt,
      [ATTRIBUTES.delay]: event.delayMs / 1000,
      [ATTRIBUTES.delaySource]: event.delaySource,
    });
  }

  override end(end: CallEnd): void {
    const { span } = this;
    this.callEnded(end, this.at);
    span.setAttribute(ATTRIBUTES.attempts, end.attempts);
    span.setAttribute(ATTRIBUTES.outcome, outcomeOf(end));
    span.setAttribute(ATTRIBUTES.totalDelay, end.totalDelayMs / 1000);
    if (end.outcome === 'failure') {
      failSpan(span, end.error);
      recordException(span, this.context, end.error);
    }
    span.end();
  }

  attemptSettled(end: AttemptEnd): void {
    this.attemptEnded(end, this.at);
  }

  get at(): RecordContext {
    if (this.#at === undefined) {
      const { traceId, spanId } = this.span.spanContext();
      this.#at = { traceId, spanId, context: this.context };
    }
    return this.#at;
  }
}

class TracedAttempt implements Scope<AttemptEnd> {
  readonly #call: TracedCall;
  readonly #span: Span;
  readonly #context: Context;

  constructor(call: TracedCall, span: Span, attemptContext: Context) {
    this.#call = call;
    this.#span = span;
    this.#context = attemptContext;
  }

  run<R>(fn: () => R): R {
    return context.with(this.#context, fn);
  }

  end(end: AttemptEnd): void {
    const span = this.#span;
    this.#call.attemptSettled(end);
    if (end.outcome === 'failure') {
      failSpan(span, end.error);
      span.setAttribute(ATTRIBUTES.errorClass, end.errorClass);
      span.setAttribute(ATTRIBUTES.next, end.next);
      if (end.next === 'retry') span.setAttribute(ATTRIBUTES.nextDelay, end.nextDelayMs / 1000);
    }
    span.end();
  }
}

/** An attempt without a span of its own: it runs in the call's context. */
export class PlacedAttempt implements Scope<AttemptEnd> {
  readonly #context: Context;
  readonly #counted: Scope<AttemptEnd> | undefined;

  constructor(place: Context, counted: Scope<AttemptEnd> | undefined) {
    this.#context = place;
    this.#counted = counted;
  }

  run<R>(fn: () => R): R {
    return context.with(this.#context, fn);
  }

  end(end: AttemptEnd): void {
    this.#counted?.end?.(end);
  }
}

/** The one way in which a span of ours becomes a failed one. */
function failSpan(span: Span, error: unknown): void {
  span.setAttribute(ATTRIBUTES.errorType, errorType(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message: errorMessage(error) });
}
