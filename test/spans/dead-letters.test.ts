import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { AlwaysOffSampler, type ReadableSpan, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { openTelemetryObserver } from '../../instrumentation/opentelemetry/index.ts';
import { faultCounts } from '../../src/core.ts';
import {
  type DeadLetter,
  DeadLetterQueue,
  type DeadLetterStore,
  defineOperation,
  MemoryDeadLetterStore,
  OperationRegistry,
  type QueueEvent,
  type RedriveOptions,
  redrive,
  setLetterTracing,
} from '../../src/recovery/dead-letters/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { storeWith } from '../dead-letters/support/store-with.ts';
import { settle } from '../support/settle.ts';
import { seen, startTracing, stopTelemetry } from './sdk.ts';

// The first observer of the process traces its dead letters, in this file as in an app.
setLetterTracing(undefined);
const observer = openTelemetryObserver();

let clock: FakeClock;
let store: MemoryDeadLetterStore;
let registry: OperationRegistry;
let events: QueueEvent[];
let answer: () => unknown;

beforeEach(() => {
  clock = new FakeClock();
  store = new MemoryDeadLetterStore({ clock });
  registry = new OperationRegistry();
  events = [];
  answer = refuse;
});
afterEach(stopTelemetry);

function refuse(): never {
  throw Object.assign(new Error('down: password=hunter2'), { code: 'ECONNRESET' });
}

const queueOn = (on: DeadLetterStore = store): DeadLetterQueue =>
  new DeadLetterQueue({
    name: 'payments',
    store: on,
    clock,
    lastResort: () => {},
    onEvent: event => events.push(event),
  });

const chargeInto = (queue: DeadLetterQueue) => {
  const options = { clock, registry, observer, maxAttempts: 2, jitter: false, deadLetter: queue } as const;
  const charge = defineOperation('charge', async (_id: number) => answer(), options);
  return (id: number) =>
    settle(
      clock,
      charge(id).catch(() => undefined),
    );
};

const redriven = (queue: DeadLetterQueue, options: RedriveOptions = {}) =>
  settle(clock, redrive(queue, { registry, ...options }));

async function theLetter(): Promise<DeadLetter> {
  const [letter] = (await store.list()).letters;
  return letter as DeadLetter;
}

const linksOf = (span: ReadableSpan | undefined) => span?.links.map(({ context }) => [context.traceId, context.spanId]);

it('shows where a letter is kept, in the trace of the caller', async () => {
  const exporter = startTracing();
  const call = chargeInto(queueOn());
  await trace.getTracer('app').startActiveSpan('POST /checkout', async span => {
    await call(1);
    span.end();
  });
  const letter = await theLetter();
  const spans = exporter.getFinishedSpans();
  const [, last, , kept] = seen(exporter);
  expect(seen(exporter).map(({ name, parent }) => [name, parent])).toEqual([
    ['attempt charge', 'retry charge'],
    ['attempt charge', 'retry charge'],
    ['retry charge', 'POST /checkout'],
    ['dead_letter charge', 'POST /checkout'],
    ['POST /checkout', undefined],
  ]);
  expect(kept).toEqual({
    name: 'dead_letter charge',
    parent: 'POST /checkout',
    kind: SpanKind.INTERNAL,
    status: { code: SpanStatusCode.UNSET },
    attributes: {
      'retry.operation': 'charge',
      'retry.dead_letter.queue': 'payments',
      'retry.dead_letter.id': letter.id,
      'retry.dead_letter.result': 'stored',
    },
    events: [],
  });
  expect(last?.attributes['retry.attempt']).toBe(2);
  const { traceId, spanId } = spans[1]?.spanContext() ?? {};
  expect(letter.trace).toEqual({ traceId, spanId });
  expect(linksOf(spans[3])).toEqual([[traceId, spanId]]);
  expect(events).toMatchObject([{ event: 'stored', trace: { traceId, spanId } }]);
});

it('shows a letter that was not stored as a failure', async () => {
  const exporter = startTracing();
  const full = Object.assign(new Error('no room: password=hunter2'), { code: 'ENOSPC' });
  await chargeInto(queueOn(storeWith(store, { put: () => Promise.reject(full) })))(1);
  expect(seen(exporter).find(({ name }) => name === 'dead_letter charge')).toMatchObject({
    status: { code: SpanStatusCode.ERROR },
    attributes: { 'retry.dead_letter.result': 'not_stored', 'error.type': 'ENOSPC' },
  });
});

it('puts what the store does under the span of its letter', async () => {
  const exporter = startTracing();
  const put = (letter: DeadLetter) =>
    trace.getTracer('pg').startActiveSpan('INSERT', async span => {
      span.end();
      return store.put(letter);
    });
  await chargeInto(queueOn(storeWith(store, { put })))(1);
  expect(seen(exporter).find(({ name }) => name === 'INSERT')?.parent).toBe('dead_letter charge');
});

it('shows a redrive in a span of its own that links to the letter, with the call under it', async () => {
  const exporter = startTracing();
  const queue = queueOn();
  await chargeInto(queue)(1);
  const letter = await theLetter();
  exporter.reset();
  answer = () => 'done';
  await redriven(queue);
  const spans = exporter.getFinishedSpans();
  expect(seen(exporter).map(({ name, parent }) => [name, parent])).toEqual([
    ['attempt charge', 'retry charge'],
    ['retry charge', 'redrive charge'],
    ['redrive charge', undefined],
  ]);
  expect(seen(exporter)[2]).toMatchObject({
    kind: SpanKind.INTERNAL,
    status: { code: SpanStatusCode.UNSET },
    attributes: {
      'retry.operation': 'charge',
      'retry.dead_letter.queue': 'payments',
      'retry.dead_letter.id': letter.id,
      'retry.dead_letter.result': 'redriven',
      'retry.redrive': 1,
    },
  });
  expect(linksOf(spans[2])).toEqual([[letter.trace?.traceId, letter.trace?.spanId]]);
  expect(spans[2]?.spanContext().traceId).not.toBe(letter.trace?.traceId);
  const { traceId, spanId } = spans[2]?.spanContext() ?? {};
  expect(events.at(-1)).toMatchObject({ event: 'redriven', redrive: 1, trace: { traceId, spanId } });
});

it('shows what a redrive met, redacted, and which one it was', async () => {
  const exporter = startTracing();
  const queue = queueOn();
  await chargeInto(queue)(1);
  const last = async (options?: RedriveOptions) => {
    await redriven(queue, options);
    return seen(exporter).findLast(({ name }) => name === 'redrive charge');
  };
  expect(await last()).toMatchObject({
    status: { code: SpanStatusCode.ERROR, message: 'down: password=[redacted]' },
    attributes: { 'retry.dead_letter.result': 'failed', 'error.type': 'ECONNRESET', 'retry.redrive': 1 },
  });
  expect(await last({ quarantineAfter: 2 })).toMatchObject({
    status: { code: SpanStatusCode.ERROR },
    attributes: { 'retry.dead_letter.result': 'quarantined', 'retry.redrive': 2 },
  });
  expect(events.slice(-2)).toMatchObject([
    { event: 'failed', redrive: 2, error: { type: 'ECONNRESET' } },
    { event: 'quarantined', redrive: 2, why: 'redrive 2 of 2 failed' },
  ]);
});

it('shows a redrive whose store failed as a failure, and lets it reach the redriver', async () => {
  const exporter = startTracing();
  const queue = queueOn(storeWith(store, { complete: () => Promise.reject(new TypeError('gone: token=abc123')) }));
  await chargeInto(queue)(1);
  answer = () => 'done';
  expect(await redriven(queue)).toEqual({ error: new TypeError('gone: token=abc123') });
  expect(seen(exporter).findLast(({ name }) => name === 'redrive charge')).toMatchObject({
    status: { code: SpanStatusCode.ERROR, message: 'gone: token=[redacted]' },
    attributes: { 'error.type': 'TypeError' },
  });
});

it('puts a redrive under the span of whoever redrives', async () => {
  const exporter = startTracing();
  const queue = queueOn();
  await chargeInto(queue)(1);
  await trace.getTracer('app').startActiveSpan('nightly', async span => {
    await redriven(queue);
    span.end();
  });
  expect(seen(exporter).findLast(({ name }) => name === 'redrive charge')?.parent).toBe('nightly');
});

it('keeps a redrive that is not sampled, and the call in it, in one trace that is not', async () => {
  const exporter = startTracing({ sampler: new AlwaysOffSampler() });
  const queue = queueOn();
  await chargeInto(queue)(1);
  let inside: string | undefined;
  answer = () => {
    inside = trace.getSpanContext(context.active())?.traceId;
  };
  await redriven(queue);
  expect(events.at(-1)).toMatchObject({ event: 'redriven', trace: { traceId: inside } });
  expect(exporter.getFinishedSpans()).toEqual([]);
});

it('makes no span with tracing suppressed, or without an SDK', async () => {
  const exporter = startTracing();
  const queue = queueOn();
  await context.with(suppressTracing(context.active()), () => chargeInto(queue)(1));
  answer = () => 'done';
  await context.with(suppressTracing(context.active()), () => redriven(queue));
  expect(exporter.getFinishedSpans()).toEqual([]);
  stopTelemetry();
  answer = refuse;
  await settle(
    clock,
    defineOperation('untraced', async () => answer(), {
      clock,
      registry,
      observer,
      maxAttempts: 1,
      deadLetter: queue,
    })().catch(() => undefined),
  );
  expect(events.map(({ event, trace: ids }) => [event, ids])).toEqual([
    ['stored', undefined],
    ['redriven', undefined],
    ['stored', undefined],
  ]);
});

it('keeps and redrives each letter once where the tracer is broken', async () => {
  const broken = (step: 'onStart' | 'onEnd'): SpanProcessor => ({
    onStart: () => undefined,
    onEnd: () => undefined,
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
    [step]: () => {
      throw new Error(step);
    },
  });
  for (const step of ['onStart', 'onEnd'] as const) {
    startTracing({ processors: [broken(step)] });
    registry = new OperationRegistry();
    const queue = queueOn();
    answer = refuse;
    await chargeInto(queue)(1);
    let sent = 0;
    answer = () => sent++;
    await redriven(queue);
    expect([queue.counts.stored, queue.counts.redriven, sent]).toEqual([1, 1, 1]);
    stopTelemetry();
  }
  expect(faultCounts().get('tracer')).toBeGreaterThan(0);
});
