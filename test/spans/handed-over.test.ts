import { openTelemetryObserver } from '../../instrumentation/opentelemetry/index.ts';
import {
  defineOperation,
  isHandedOver,
  OperationRegistry,
  setLetterTracing,
} from '../../src/recovery/dead-letters/index.ts';
import { DurableCalls } from '../../src/recovery/durable/durable-calls.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { MemoryEngine } from '../dead-letters/support/memory-engine.ts';
import { settle } from '../support/settle.ts';
import { startTracing, stopTelemetry } from './sdk.ts';

// The first observer of the process traces its dead letters, in this file as in an app.
setLetterTracing(undefined);
const observer = openTelemetryObserver();
afterEach(stopTelemetry);

it('a call that goes on in another process is a trace of its own, and links to where it was handed over', async () => {
  const exporter = startTracing();
  const clock = new FakeClock();
  const engine = new MemoryEngine(clock);
  const processWith = (handler: () => unknown) => {
    const registry = new OperationRegistry();
    const durable = new DurableCalls(engine, { registry, clock });
    const terms = { clock, registry, durable, observer, jitter: false, initialDelay: 50_000 } as const;
    return { durable, op: defineOperation('charge', handler, terms) };
  };
  const caller = processWith(() => Promise.reject(Object.assign(new Error('down'), { code: 'ECONNRESET' })));
  const outcome = await settle(clock, caller.op());
  expect('error' in outcome && isHandedOver(outcome.error)).toBe(true);
  const { id, data } = await engine.due();
  expect(await processWith(() => 1).durable.run(data, id, undefined)).toMatchObject({ outcome: 'success' });

  const spans = exporter.getFinishedSpans();
  expect(spans.map(({ name }) => name)).toEqual(['attempt charge', 'retry charge', 'attempt charge', 'retry charge']);
  const [attempt, call, nextAttempt, nextCall] = spans;
  expect(call?.attributes).toMatchObject({
    'retry.attempts': 1,
    'retry.outcome': 'aborted',
    'error.type': 'ERR_RETRY_HANDED_OVER',
  });
  expect(nextAttempt?.attributes).toMatchObject({
    'retry.attempt': 2,
    'retry.delay': 50,
    'retry.delay.source': 'backoff',
  });
  expect(nextCall?.attributes).toMatchObject({ 'retry.attempts': 2, 'retry.outcome': 'success_after_retry' });
  expect(nextCall?.spanContext().traceId).not.toBe(call?.spanContext().traceId);
  expect(call?.links).toEqual([]);
  expect(nextCall?.links.map(({ context: { traceId, spanId } }) => ({ traceId, spanId }))).toEqual([
    { traceId: attempt?.spanContext().traceId, spanId: attempt?.spanContext().spanId },
  ]);
});
