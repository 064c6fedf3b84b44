import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AlwaysOffSampler, type Sampler, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { openTelemetryObserver, retryContextProcessor } from '../../instrumentation/opentelemetry/index.ts';
import { attempts, faultCounts, type RetryOptions, retry } from '../../src/core.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { settle } from '../support/settle.ts';
import { seen, startTracing, stopTelemetry } from './sdk.ts';

const observer = openTelemetryObserver();
let clock: FakeClock;
let base: RetryOptions<never>;
beforeEach(() => {
  clock = new FakeClock();
  base = { clock, observer, operation: 'load', jitter: false, initialDelay: 500 };
});
afterEach(stopTelemetry);

const failing = (error: unknown) => (): never => {
  throw error;
};
const down = (): Error => Object.assign(new Error('down: password=hunter2'), { code: 'ECONNRESET' });

describe('the spans of a call', () => {
  it('that succeeds at once', async () => {
    const exporter = startTracing();
    await retry(() => 1, base as RetryOptions<number>);
    expect(seen(exporter)).toEqual([
      {
        name: 'attempt load',
        parent: 'retry load',
        kind: SpanKind.INTERNAL,
        status: { code: SpanStatusCode.UNSET },
        attributes: {
          'retry.operation': 'load',
          'retry.attempt': 1,
          'retry.max_attempts': 3,
          'retry.delay': 0,
          'retry.delay.source': 'none',
        },
        events: [],
      },
      {
        name: 'retry load',
        parent: undefined,
        kind: SpanKind.INTERNAL,
        status: { code: SpanStatusCode.UNSET },
        attributes: {
          'retry.operation': 'load',
          'retry.max_attempts': 3,
          'retry.attempts': 1,
          'retry.outcome': 'success',
          'retry.total_delay': 0,
        },
        events: [],
      },
    ]);
  });

  it('that succeeds after a retry: the attempt failed, the call did not', async () => {
    const exporter = startTracing();
    const work = ({ number }: { number: number }): number => {
      if (number === 1) throw down();
      return number;
    };
    await settle(clock, retry(work, base as RetryOptions<number>));
    const [first, second, call] = seen(exporter);
    expect(first).toMatchObject({
      status: { code: SpanStatusCode.ERROR, message: 'down: password=[redacted]' },
      attributes: {
        'retry.attempt': 1,
        'error.type': 'ECONNRESET',
        'retry.error.class': 'transient',
        'retry.next': 'retry',
        'retry.next_delay': 0.5,
      },
    });
    expect(second).toMatchObject({
      status: { code: SpanStatusCode.UNSET },
      attributes: { 'retry.attempt': 2, 'retry.delay': 0.5, 'retry.delay.source': 'backoff' },
    });
    expect(second?.attributes['error.type']).toBeUndefined();
    expect(call).toMatchObject({
      status: { code: SpanStatusCode.UNSET },
      attributes: { 'retry.attempts': 2, 'retry.outcome': 'success_after_retry', 'retry.total_delay': 0.5 },
      events: [['retry.scheduled', { 'retry.attempt': 2, 'retry.delay': 0.5, 'retry.delay.source': 'backoff' }]],
    });
    expect(call?.attributes['error.type']).toBeUndefined();
  });

  it('that gives up: error.type, status and one exception event, redacted', async () => {
    const exporter = startTracing();
    await settle(clock, retry(failing(down()), { ...base, maxAttempts: 2 }));
    const [, last, call] = seen(exporter);
    expect(last?.attributes).toMatchObject({ 'retry.next': 'attempts_exhausted', 'error.type': 'ECONNRESET' });
    expect(last?.attributes['retry.next_delay']).toBeUndefined();
    expect(call).toMatchObject({
      status: { code: SpanStatusCode.ERROR, message: 'down: password=[redacted]' },
      attributes: { 'retry.outcome': 'attempts_exhausted', 'error.type': 'ECONNRESET', 'retry.attempts': 2 },
    });
    expect(call?.events.map(([name]) => name)).toEqual(['retry.scheduled', 'exception']);
    expect(call?.events[1]?.[1]).toMatchObject({
      'exception.type': 'ECONNRESET',
      'exception.message': 'down: password=[redacted]',
    });
    expect(JSON.stringify(seen(exporter))).not.toContain('hunter2');
  });

  it.each<[string, RetryOptions<never>, unknown, string]>([
    ['not_retryable', {}, new TypeError('x'), 'permanent'],
    ['deadline_exceeded', { maxElapsed: 100 }, new Error('x'), 'transient'],
    ['not_retryable', {}, Object.assign(new Error('x'), { retryAfterMs: 90_000 }), 'transient'],
  ])('that stops: %s', async (reason, options, error, errorClass) => {
    const exporter = startTracing();
    await settle(clock, retry(failing(error), { ...base, ...options }));
    const [attempt, call] = seen(exporter);
    expect(attempt?.attributes).toMatchObject({ 'retry.next': reason, 'retry.error.class': errorClass });
    expect(call?.attributes).toMatchObject({ 'retry.outcome': reason });
  });

  it('that is aborted in a wait', async () => {
    const exporter = startTracing();
    const controller = new AbortController();
    const call = settle(
      clock,
      retry(failing(down()), { ...base, signal: controller.signal, initialDelay: 1e6, maxDelay: 1e6 }),
    );
    controller.abort(new DOMException('gone', 'AbortError'));
    await call;
    expect(seen(exporter).at(-1)).toMatchObject({
      name: 'retry load',
      status: { code: SpanStatusCode.ERROR, message: 'gone' },
      attributes: { 'retry.outcome': 'aborted', 'retry.attempts': 1 },
    });
  });

  it('whose delay the server decided', async () => {
    const exporter = startTracing();
    const busy = Object.assign(new Error('busy'), { status: 429, headers: { 'retry-after': '7' } });
    await settle(clock, retry(failing(busy), { ...base, maxAttempts: 2 }));
    const [first, second, call] = seen(exporter);
    expect(first?.attributes).toMatchObject({
      'retry.error.class': 'throttled',
      'retry.next_delay': 7,
      'error.type': '429',
    });
    expect(second?.attributes).toMatchObject({ 'retry.delay': 7, 'retry.delay.source': 'retry_after' });
    expect(call?.events[0]?.[1]).toMatchObject({ 'retry.delay.source': 'retry_after' });
  });

  it('has the caller’s attributes and its span as parent, and is parent of what the attempt starts', async () => {
    const exporter = startTracing();
    const tracer = trace.getTracer('app');
    await tracer.startActiveSpan('request', async request => {
      await retry(
        async () => {
          tracer.startSpan('query').end();
          await Promise.resolve();
          tracer.startSpan('query later').end();
        },
        { ...base, attributes: { tenant: 'a' } } as RetryOptions<void>,
      );
      expect(trace.getActiveSpan()).toBe(request);
      request.end();
    });
    const spans = seen(exporter);
    expect(spans.map(({ name, parent }) => [name, parent])).toEqual([
      ['query', 'attempt load'],
      ['query later', 'attempt load'],
      ['attempt load', 'retry load'],
      ['retry load', 'request'],
      ['request', undefined],
    ]);
    expect(spans[3]?.attributes.tenant).toBe('a');
  });

  it('keeps its context over attempts and waits, in the iterator too', async () => {
    const exporter = startTracing();
    const tracer = trace.getTracer('app');
    const options = { ...base, clock: undefined, initialDelay: 1 } as never;
    for await (const attempt of attempts(options)) {
      await attempt.run(async ({ number }) => {
        await Promise.resolve();
        tracer.startSpan(`query ${number}`).end();
        if (number < 3) throw down();
      });
    }
    const queries = exporter.getFinishedSpans().filter(span => span.name.startsWith('query'));
    const attemptIds = exporter
      .getFinishedSpans()
      .filter(span => span.name === 'attempt load')
      .map(span => span.spanContext().spanId);
    expect(queries.map(span => (span as { parentSpanContext?: { spanId: string } }).parentSpanContext?.spanId)).toEqual(
      attemptIds,
    );
  });

  it('says 0 where there is no limit of attempts', async () => {
    const exporter = startTracing();
    await retry(() => 1, { ...base, maxAttempts: Infinity, maxElapsed: 1000 } as RetryOptions<number>);
    expect(seen(exporter)[1]?.attributes['retry.max_attempts']).toBe(0);
  });
});

describe('attemptSpans', () => {
  it.each<['always' | 'retries' | 'never', string[]]>([
    ['always', ['attempt load', 'attempt load', 'retry load']],
    ['retries', ['attempt load', 'retry load']],
    ['never', ['retry load']],
  ])('%s', async (attemptSpans, names) => {
    const exporter = startTracing();
    const parents: (string | undefined)[] = [];
    const work = ({ number }: { number: number }): number => {
      parents.push(trace.getActiveSpan()?.spanContext().spanId);
      if (number === 1) throw down();
      return number;
    };
    await settle(
      clock,
      retry(work, { ...base, observer: openTelemetryObserver({ attemptSpans }) } as RetryOptions<number>),
    );
    expect(seen(exporter).map(({ name }) => name)).toEqual(names);
    const ids = exporter.getFinishedSpans().map(span => span.spanContext().spanId);
    expect(parents.every(parent => ids.includes(parent ?? ''))).toBe(true);
  });
});

describe('sampling', () => {
  it('makes no attempt spans for a call that is not recorded, but keeps its trace for what runs in it', async () => {
    const asked: string[] = [];
    const sampler: Sampler = {
      shouldSample: (...args) => {
        asked.push(args[2]);
        return new AlwaysOffSampler().shouldSample();
      },
      toString: () => 'counting',
    };
    const exporter = startTracing({ sampler });
    let inside: ReturnType<typeof trace.getSpanContext>;
    await retry(
      () => {
        inside = trace.getSpanContext(context.active());
      },
      base as RetryOptions<void>,
    );
    expect(asked).toEqual(['retry load']);
    expect(exporter.getFinishedSpans()).toEqual([]);
    expect(inside).toMatchObject({ traceFlags: 0, traceId: expect.stringMatching(/^(?!0+$)[0-9a-f]{32}$/) });
  });

  it('leaves the caller’s context as it is under a parent that is not sampled', async () => {
    startTracing();
    const parent = trace.setSpanContext(context.active(), {
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      traceFlags: 0,
    });
    let inside: ReturnType<typeof trace.getSpanContext>;
    await context.with(parent, () =>
      retry(
        () => {
          inside = trace.getSpanContext(context.active());
        },
        base as RetryOptions<void>,
      ),
    );
    expect(inside).toMatchObject({ traceId: 'a'.repeat(32), traceFlags: 0 });
  });
});

describe('the SDK', () => {
  it('may start after the policy was made and used, and may be replaced', async () => {
    const work = (): number => 1;
    await retry(work, base as RetryOptions<number>);
    const first = startTracing();
    await retry(work, base as RetryOptions<number>);
    expect(seen(first)).toHaveLength(2);
    stopTelemetry();
    await retry(work, base as RetryOptions<number>);
    const second = startTracing();
    await retry(work, base as RetryOptions<number>);
    expect([seen(first), seen(second)].map(spans => spans.length)).toEqual([2, 2]);
  });

  it.each(['onStart', 'onEnd'] as const)(
    'may have a processor whose %s throws: the caller sees nothing of it',
    async method => {
      const processor: SpanProcessor = {
        onStart: () => undefined,
        onEnd: () => undefined,
        forceFlush: async () => undefined,
        shutdown: async () => undefined,
        [method]: () => {
          throw new Error('broken processor');
        },
      };
      startTracing({ processors: [processor] });
      const faults = (): number => (faultCounts().get('observer') ?? 0) + (faultCounts().get('tracer') ?? 0);
      const before = faults();
      const work = ({ number }: { number: number }): number => {
        if (number === 1) throw down();
        return number;
      };
      expect(await settle(clock, retry(work, base as RetryOptions<number>))).toEqual({ value: 2 });
      expect(faults()).toBeGreaterThan(before);
    },
  );
});

describe('retryContextProcessor', () => {
  it('counts the resends on HTTP client spans, from attempt 2 on', async () => {
    const exporter = startTracing({ processors: [retryContextProcessor() as SpanProcessor] });
    const tracer = trace.getTracer('http');
    const http = { kind: SpanKind.CLIENT, attributes: { 'http.request.method': 'GET' } };
    const work = ({ number }: { number: number }): void => {
      tracer.startSpan('GET', http).end();
      tracer.startSpan('SELECT', { kind: SpanKind.CLIENT, attributes: { 'db.system.name': 'postgresql' } }).end();
      tracer.startSpan('inner', { attributes: { 'http.request.method': 'GET' } }).end();
      if (number < 3) throw down();
    };
    await settle(clock, retry(work, base as RetryOptions<void>));
    tracer.startSpan('GET', http).end();
    const counts = (name: string): unknown[] =>
      seen(exporter)
        .filter(span => span.name === name)
        .map(span => span.attributes['http.request.resend_count']);
    expect(counts('GET')).toEqual([undefined, 1, 2, undefined]);
    expect(counts('SELECT')).toEqual([undefined, undefined, undefined]);
    expect(counts('inner')).toEqual([undefined, undefined, undefined]);
  });
});
