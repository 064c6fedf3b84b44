import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import type { ReadableSpan, Sampler, SpanProcessor } from '@opentelemetry/sdk-trace';
import * as sdk from '@opentelemetry/sdk-trace';

/** Which line of the SDK this run tests. */
export const LINE: number = (globalThis as { OPENTELEMETRY_LINE?: number }).OPENTELEMETRY_LINE ?? 3;

type Provider = Parameters<typeof trace.setGlobalTracerProvider>[0] & { shutdown(): Promise<void> };

/** The two lines of the SDK name and construct the same things differently: 2.x is used through `sdk-trace-base`. */
const line: {
  readonly Provider: new (options: { spanProcessors: SpanProcessor[]; sampler?: Sampler }) => Provider;
  readonly simple: (exporter: sdk.InMemorySpanExporter) => SpanProcessor;
} =
  LINE === 3
    ? { Provider: sdk.TracerProvider, simple: exporter => new sdk.SimpleSpanProcessor({ exporter }) }
    : {
        Provider: require('@opentelemetry/sdk-trace-base').BasicTracerProvider,
        simple: exporter => new (require('@opentelemetry/sdk-trace-base').SimpleSpanProcessor)(exporter),
      };

/** Registers an SDK that keeps its spans in memory. */
export function startTracing(
  options: { sampler?: Sampler; processors?: SpanProcessor[] } = {},
): sdk.InMemorySpanExporter {
  const exporter = new sdk.InMemorySpanExporter();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(
    new line.Provider({
      spanProcessors: [...(options.processors ?? []), line.simple(exporter)],
      ...(options.sampler === undefined ? undefined : { sampler: options.sampler }),
    }),
  );
  return exporter;
}

/** Takes every global of the API back. */
export function stopTelemetry(): void {
  trace.disable();
  context.disable();
  metrics.disable();
}

/** A span as the tests look at it. */
export interface Seen {
  readonly name: string;
  readonly parent: string | undefined;
  readonly kind: number;
  readonly status: ReadableSpan['status'];
  readonly attributes: ReadableSpan['attributes'];
  readonly events: readonly (readonly [string, unknown])[];
}

/** The finished spans, oldest first, each with the name of its parent. */
export function seen(exporter: sdk.InMemorySpanExporter): Seen[] {
  const spans = exporter.getFinishedSpans();
  const names = new Map(spans.map(span => [span.spanContext().spanId, span.name]));
  return spans.map(span => ({
    name: span.name,
    parent: names.get(parentId(span) ?? '') ?? parentId(span),
    kind: span.kind,
    status: span.status,
    attributes: { ...span.attributes },
    events: span.events.map(event => [event.name, event.attributes] as const),
  }));
}

function parentId(span: ReadableSpan): string | undefined {
  const { parentSpanContext, parentSpanId } = span as ReadableSpan & { parentSpanId?: string };
  return parentSpanContext?.spanId ?? parentSpanId;
}
