import { type Context, context, type Span, type Tracer, trace } from '@opentelemetry/api';
import { errorMessage, errorType } from '../../src/engine/describe-error.ts';
import { reportFault } from '../../src/engine/faults.ts';
import type { AttemptEnd, AttemptInfo, CallEnd, RetryEvent, Scope } from '../../src/engine/observer.ts';
import { systemClock } from '../../src/engine/system-clock.ts';
import { ATTRIBUTES, EVENTS } from '../names.ts';
import { MeteredCall } from '../store/observer.ts';
import type { OperationCells } from '../store/operation-cells.ts';
import { outcomeOf, type RecordContext } from '../store/record.ts';
import { withAttemptNumber } from './attempt-context.ts';
import type { CallFacts } from './call-facts.ts';
import { recordException } from './exceptions.ts';
import { failSpan } from './fail-span.ts';
import type { OpenTelemetryOptions } from './options.ts';
import { PlacedAttempt } from './placed-attempt.ts';

/** A call with a recording span: spans for it and its attempts, and the same counts as any other call. */
export class TracedCall extends MeteredCall implements RecordContext {
  readonly facts: CallFacts;
  readonly tracer: Tracer;
  readonly span: Span;
  /** The caller's context with the call span in it. */
  readonly context: Context;
  readonly #attemptSpans: OpenTelemetryOptions['attemptSpans'];

  constructor(
    facts: CallFacts,
    cells: OperationCells | undefined,
    tracer: Tracer,
    span: Span,
    callContext: Context,
    attemptSpans: OpenTelemetryOptions['attemptSpans'],
  ) {
    super(cells);
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
    this.attemptStarted(info);
    const here = info.number === 1 ? this.context : withAttemptNumber(this.context, info.number);
    const wanted = this.#attemptSpans ?? 'always';
    if (wanted === 'never' || (wanted === 'retries' && info.number === 1)) return new PlacedAttempt(here, this);
    try {
      const span = this.tracer.startSpan(this.facts.attemptName, this.facts.attemptSpan(info), here);
      return new TracedAttempt(this, span, trace.setSpan(here, span));
    } catch (fault) {
      reportFault('tracer', fault);
      return new PlacedAttempt(here, this);
    }
  }

  override event(event: RetryEvent): void {
    super.event(event);
    const isHedge = event.type === 'hedge_started';
    this.span.addEvent(isHedge ? EVENTS.hedged : EVENTS.scheduled, {
      [ATTRIBUTES.attempt]: event.nextAttempt,
      [ATTRIBUTES.delay]: event.delayMs / 1000,
      [ATTRIBUTES.delaySource]: isHedge ? 'hedge' : event.delaySource,
    });
  }

  override end(end: CallEnd): void {
    const { span } = this;
    super.end(end);
    span.setAttribute(ATTRIBUTES.attempts, end.attempts);
    span.setAttribute(ATTRIBUTES.outcome, outcomeOf(end));
    span.setAttribute(ATTRIBUTES.totalDelay, end.totalDelayMs / 1000);
    if (end.budgetTokens !== undefined) span.setAttribute(ATTRIBUTES.budgetTokens, end.budgetTokens);
    if (end.outcome === 'failure') {
      failSpan(span, errorType(end.error), errorMessage(end.error));
      recordException(span, this.context, end.error);
    }
    span.end();
  }

  protected override get at(): RecordContext {
    return this;
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
    this.#call.attemptEnded(end);
    if (end.outcome === 'failure') {
      failSpan(span, errorType(end.error), errorMessage(end.error));
      span.setAttribute(ATTRIBUTES.errorClass, end.errorClass);
      span.setAttribute(ATTRIBUTES.next, end.next);
      if (end.next === 'retry') span.setAttribute(ATTRIBUTES.nextDelay, end.nextDelayMs / 1000);
    }
    span.end(endTime(end));
  }
}

/** Undefined is now; a reading of the monotonic clock is what the SDK takes for a time that has passed. */
function endTime(end: AttemptEnd): number | undefined {
  const agoMs = end.outcome === 'failure' ? (end.endedAgoMs ?? 0) : 0;
  return agoMs > 0 ? systemClock.now() - agoMs : undefined;
}
