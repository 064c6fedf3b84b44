import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { openTelemetryObserver } from '../../instrumentation/opentelemetry/index.ts';
import { store } from '../../instrumentation/store/store.ts';
import { Bulkhead, CircuitBreaker, RetryBudget, type RetryOptions, retry } from '../../src/core.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { outcomeOf, settle } from '../support/settle.ts';
import { seen, startTracing, stopTelemetry } from './sdk.ts';

const observer = openTelemetryObserver();
let clock: FakeClock;
let base: RetryOptions;
beforeEach(() => {
  clock = new FakeClock();
  base = { clock, observer, operation: 'load', jitter: false, initialDelay: 500 };
});
afterEach(() => {
  stopTelemetry();
  store.readers.clear();
  store.operations.clear();
});
const down = (): never => {
  throw new Error('down');
};

it('the call span tells what its budget has left, and why it stopped', async () => {
  const exporter = startTracing();
  const budget = new RetryBudget({ capacity: 1.5 });
  await settle(clock, retry(down, { ...base, budget }));
  const spans = seen(exporter);
  expect(spans.map(({ name, attributes }) => [name, attributes['retry.next'] ?? attributes['retry.outcome']])).toEqual([
    ['attempt load', 'retry'],
    ['attempt load', 'budget_exhausted'],
    ['retry load', 'budget_exhausted'],
  ]);
  expect(spans[2]).toMatchObject({
    status: { code: SpanStatusCode.ERROR },
    attributes: { 'retry.budget.tokens': 0.5, 'error.type': 'Error' },
  });
  await settle(
    clock,
    retry(() => 1, { ...base, budget }),
  );
  expect(seen(exporter).at(-1)?.attributes).toMatchObject({ 'retry.budget.tokens': 0.6, 'retry.outcome': 'success' });
});

it('a call that the circuit keeps out has a span, and no attempt', async () => {
  const exporter = startTracing();
  const breaker = new CircuitBreaker({ clock });
  breaker.forceOpen();
  await settle(
    clock,
    retry(() => 1, { ...base, breaker }),
  );
  expect(seen(exporter)).toMatchObject([
    {
      name: 'retry load',
      status: { code: SpanStatusCode.ERROR, message: 'The circuit "default" is open' },
      attributes: { 'retry.attempts': 0, 'retry.outcome': 'circuit_open', 'error.type': 'ERR_RETRY_CIRCUIT_OPEN' },
    },
  ]);
});

it('hedged attempts are two spans side by side, and what they start is below them', async () => {
  const exporter = startTracing();
  store.readers.add('test');
  const call = retry(
    async ({ number, signal }) => {
      await clock.sleep(number === 1 ? 1000 : 30, signal, 'ref');
      trace.getTracer('test').startSpan(`query ${number}`).end();
      return number;
    },
    { ...base, hedge: 50 },
  );
  expect(await settle(clock, call)).toEqual({ value: 2 });
  const spans = seen(exporter);
  expect(spans.map(({ name, parent }) => [name, parent])).toEqual([
    ['query 2', 'attempt load'],
    ['attempt load', 'retry load'],
    ['attempt load', 'retry load'],
    ['retry load', undefined],
  ]);
  expect(spans[1]).toMatchObject({
    status: { code: SpanStatusCode.ERROR },
    attributes: {
      'retry.attempt': 1,
      'retry.next': 'hedge',
      'retry.error.class': 'cancelled',
      'error.type': 'ERR_RETRY_HEDGE_LOST',
    },
  });
  expect(spans[2]).toMatchObject({
    status: { code: SpanStatusCode.UNSET },
    attributes: { 'retry.attempt': 2, 'retry.delay': 0.05, 'retry.delay.source': 'hedge' },
  });
  expect(spans[3]).toMatchObject({
    status: { code: SpanStatusCode.UNSET },
    attributes: { 'retry.attempts': 2, 'retry.outcome': 'success_after_retry' },
    events: [['retry.hedged', { 'retry.attempt': 2, 'retry.delay': 0.05, 'retry.delay.source': 'hedge' }]],
  });
  const cells = store.operations.get('load');
  expect(cells).toMatchObject({ inAttempt: 0, waiting: 0, retries: { hedge: 1, backoff: 0 } });
});

it('T4: a queued attempt is a child of its own call', async () => {
  const exporter = startTracing();
  const bulkhead = new Bulkhead({ limit: 1, queue: 10 });
  const gate = Promise.withResolvers<void>();
  const work = async (): Promise<string | undefined> => {
    await gate.promise;
    return trace.getSpan(context.active())?.spanContext().traceId;
  };
  const calls = ['a', 'b', 'c'].map(operation => outcomeOf(retry(work, { ...base, operation, bulkhead })));
  gate.resolve();
  const traces = await Promise.all(calls);
  const spans = exporter.getFinishedSpans();
  for (const [i, operation] of ['a', 'b', 'c'].entries()) {
    const span = spans.find(({ name }) => name === `retry ${operation}`);
    expect(traces[i]).toEqual({ value: span?.spanContext().traceId });
  }
});

it('T32: an attempt’s span is as long as the attempt, and tells its own status', async () => {
  const exporter = startTracing();
  const answers = [503, 200];
  const call = retry(
    async () => {
      await clock.sleep(300, undefined, 'ref');
      const status = answers.shift();
      if (status !== 200) throw Object.assign(new Error('busy'), { status });
      return status;
    },
    { ...base, maxAttempts: 2 },
  );
  await clock.advance(299);
  expect(exporter.getFinishedSpans()).toHaveLength(0);
  await clock.runAll();
  await call;
  expect(seen(exporter).map(({ name, status }) => [name, status.code])).toEqual([
    ['attempt load', SpanStatusCode.ERROR],
    ['attempt load', SpanStatusCode.UNSET],
    ['retry load', SpanStatusCode.UNSET],
  ]);
});
