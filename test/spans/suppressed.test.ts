import { context, createContextKey, trace } from '@opentelemetry/api';
import { openTelemetryObserver } from '../../instrumentation/opentelemetry/index.ts';
import { store } from '../../instrumentation/store/store.ts';
import { retry } from '../../src/core.ts';
import { seen, startTracing, stopTelemetry } from './sdk.ts';

/** The key under which every line of the SDK keeps what `suppressTracing` of `@opentelemetry/core` sets. */
const SUPPRESSED = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');
const observer = openTelemetryObserver();

afterEach(() => {
  store.readers.clear();
  stopTelemetry();
});

describe('a call in a context with tracing suppressed', () => {
  it('makes no spans, changes no context, and is counted', async () => {
    const exporter = startTracing();
    store.readers.add('test');
    const quiet = context.active().setValue(SUPPRESSED, true);
    let inside: unknown;
    const work = (): number => {
      inside = context.active();
      trace.getTracer('app').startSpan('query').end();
      return 7;
    };
    expect(await context.with(quiet, () => retry(work, { operation: 'quiet', observer }))).toBe(7);
    expect(seen(exporter)).toEqual([]);
    expect(inside).toBe(quiet);
    expect(store.operations.get('quiet')?.calls.success).toBe(1);
  });

  it('keeps the caller’s span as the active one', async () => {
    const exporter = startTracing();
    const request = trace.getTracer('app').startSpan('request');
    const quiet = trace.setSpan(context.active(), request).setValue(SUPPRESSED, true);
    let active: unknown;
    const work = (): void => {
      active = trace.getActiveSpan();
    };
    await context.with(quiet, () => retry(work, { operation: 'quiet', observer }));
    request.end();
    expect(active).toBe(request);
    expect(seen(exporter).map(({ name }) => name)).toEqual(['request']);
  });
});
