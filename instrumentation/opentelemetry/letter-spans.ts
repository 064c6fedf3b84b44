import {
  type Attributes,
  context,
  isSpanContextValid,
  type Link,
  type Span,
  SpanKind,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { errorMessage, errorType } from '../../src/engine/describe-error.ts';
import { reportFault } from '../../src/engine/faults.ts';
import type { DeadLetter } from '../../src/recovery/dead-letters/letter.ts';
import type { LetterEnd, LetterTracing } from '../../src/recovery/dead-letters/letter-tracing.ts';
import { ATTRIBUTES, SPANS } from '../names.ts';
import type { Binding } from './binding.ts';
import { failSpan } from './fail-span.ts';

/**
 * Shows dead letters as spans: one where a letter is kept, in the caller's own trace, and one for each time that it is sent
 * again, with the spans of that call under it. Both link to where the call was given up.
 */
export function letterSpans(binding: Binding): LetterTracing {
  return {
    current: () => {
      const here = trace.getSpanContext(context.active());
      return here === undefined || !isSpanContextValid(here)
        ? undefined
        : { traceId: here.traceId, spanId: here.spanId };
    },
    keep: (letter, fn) => inSpan(binding, SPANS.deadLetter(letter.operation), letter, {}, fn),
    redrive: (letter, fn) =>
      inSpan(binding, SPANS.redrive(letter.operation), letter, { [ATTRIBUTES.redrive]: letter.redrives + 1 }, fn),
  };
}

async function inSpan(
  binding: Binding,
  name: string,
  letter: DeadLetter,
  more: Attributes,
  fn: () => Promise<LetterEnd>,
): Promise<LetterEnd> {
  const span = startSpan(binding, name, letter, more);
  if (span === undefined) return fn();
  let end: LetterEnd;
  try {
    end = await context.with(trace.setSpan(context.active(), span), fn);
  } catch (fault) {
    safely(() => {
      failSpan(span, errorType(fault), errorMessage(fault));
      span.end();
    });
    throw fault;
  }
  safely(() => {
    span.setAttribute(ATTRIBUTES.letterResult, end.result);
    if (end.error !== undefined) failSpan(span, end.error.type, end.error.message);
    span.end();
  });
  return end;
}

function startSpan(binding: Binding, name: string, letter: DeadLetter, more: Attributes): Span | undefined {
  try {
    binding.refresh();
    const span = binding.tracer?.startSpan(name, {
      kind: SpanKind.INTERNAL,
      attributes: {
        [ATTRIBUTES.operation]: letter.operation,
        [ATTRIBUTES.queue]: letter.queue,
        [ATTRIBUTES.letterId]: letter.id,
        ...more,
      },
      links: linksTo(letter),
    });
    // With tracing suppressed there is none to be inside of.
    return span === undefined || !isSpanContextValid(span.spanContext()) ? undefined : span;
  } catch (fault) {
    reportFault('tracer', fault);
    return undefined;
  }
}

/** The letter does not say whether its trace was sampled. */
function linksTo({ trace: ids }: DeadLetter): Link[] {
  if (ids === undefined) return [];
  const { traceId, spanId } = ids;
  return [{ context: { traceId, spanId, traceFlags: TraceFlags.NONE, isRemote: true } }];
}

function safely(tell: () => void): void {
  try {
    tell();
  } catch (fault) {
    reportFault('tracer', fault);
  }
}
