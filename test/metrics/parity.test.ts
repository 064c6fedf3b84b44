import { trace } from '@opentelemetry/api';
import { SamplingDecision } from '@opentelemetry/sdk-trace';
import * as successor from '@prometheus-io/client';
import * as promClient from 'prom-client';
import { openTelemetryObserver } from '../../instrumentation/opentelemetry/index.ts';
import { type PrometheusRegistry, registerRetryMetrics } from '../../instrumentation/prometheus/index.ts';
import { FED_FAMILIES } from '../../instrumentation/store/families.ts';
import { MAX_ERROR_TYPES } from '../../instrumentation/store/operation-cells.ts';
import { MAX_OPERATIONS, store } from '../../instrumentation/store/store.ts';
import { addObserver, CircuitBreaker, RetryBudget, type RetryObserver, RetryPolicy, retry } from '../../src/core.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { limitRegistry } from '../../src/limits/registry.ts';
import {
  DeadLetterQueue,
  defineOperation,
  MemoryDeadLetterStore,
  OperationRegistry,
  queueRegistry,
} from '../../src/recovery/dead-letters/index.ts';
import { DurableCalls } from '../../src/recovery/durable/durable-calls.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { MemoryEngine } from '../dead-letters/support/memory-engine.ts';
import { startMetrics } from '../servers/story.ts';
import { startTracing, stopTelemetry } from '../spans/sdk.ts';
import { parseExposition, scrape } from '../support/exposition.ts';

const clock = new FakeClock();
const quick = { initialDelay: 0, jitter: false } as const;
const throwing = (error: unknown) => (): never => {
  throw error;
};

beforeEach(() => {
  store.operations.clear();
  limitRegistry.budgets.clear();
  limitRegistry.breakers.clear();
  queueRegistry.queues.clear();
  store.readers.clear();
  store.keepsExemplars = false;
  store.overflow.operation = 0;
  store.overflow.error_type = 0;
  runtime.observers.length = 0;
  runtime.observer = undefined;
});
afterEach(stopTelemetry);

describe('OpenTelemetry, prom-client and @prometheus-io/client', () => {
  it('show identical families, types, help texts, labels and values', async () => {
    const reader = startMetrics();
    const registries = [new promClient.Registry(), new successor.Registry()] as unknown as (PrometheusRegistry & {
      metrics(): Promise<string>;
    })[];
    for (const registry of registries) registerRetryMetrics(registry);
    for (const registry of registries) registerRetryMetrics(registry);
    const odd = 'a "quoted" \\ name\nwith a line';
    await retry(() => 1, { operation: odd, ...quick });
    await retry(throwing(Object.assign(new Error('x'), { code: 'ECONNRESET' })), quick).catch(() => undefined);
    await retry(({ number }) => (number < 3 ? throwing('text')() : 1), { ...quick, operation: 'recovers' });
    new RetryPolicy({ operation: 'never called' });
    const budget = new RetryBudget({ name: 'payments', initial: 1 });
    const breaker = new CircuitBreaker({ name: 'ledger', trip: { kind: 'consecutive', failures: 2 }, clock });
    const limited = { ...quick, operation: 'limited', maxAttempts: 2, budget, breaker };
    for (let i = 0; i < 3; i++) await retry(throwing(new Error('x')), limited).catch(() => undefined);
    const queue = new DeadLetterQueue({ name: 'refunds', store: new MemoryDeadLetterStore({ clock }), clock });
    const own = { ...quick, maxAttempts: 1, deadLetter: queue, registry: new OperationRegistry() };
    await defineOperation('refund', throwing('text'), own)().catch(() => undefined);
    await new DurableCalls(new MemoryEngine(clock), { clock }).run('of somebody else', 'j', undefined);
    await clock.advance(2500);
    // What the store holds is asked for by the first to collect, and shown to those after it.
    await scrape(reader);
    await new Promise(setImmediate);

    const [otel, ...others] = [await scrape(reader), ...(await Promise.all(registries.map(r => r.metrics())))].map(
      parseExposition,
    );
    expect(Object.keys(otel?.samples ?? {}).length).toBeGreaterThan(300);
    expect(Object.keys(otel?.types ?? {}).sort()).toEqual(FED_FAMILIES.map(({ family }) => family).sort());
    expect(otel?.samples).toMatchObject({
      'retry_telemetry_errors_total{source="observer"}': 0,
      'retry_budget_tokens{budget="payments"}': 0,
      'retry_budget_capacity{budget="payments"}': 10,
      'retry_budget_mode{budget="payments",mode="local"}': 1,
      'retry_budget_mode{budget="payments",mode="shared"}': 0,
      'retry_budget_withdrawals_total{budget="payments",decision="granted"}': 1,
      'retry_budget_withdrawals_total{budget="payments",decision="denied"}': 0,
      'circuit_breaker_state{breaker="ledger",state="open"}': 1,
      'circuit_breaker_state{breaker="ledger",state="closed"}': 0,
      'circuit_breaker_transitions_total{breaker="ledger",to="open"}': 1,
      'circuit_breaker_transitions_total{breaker="ledger",to="half_open"}': 0,
      'circuit_breaker_state_seconds_total{breaker="ledger",state="open"}': 2.5,
      'circuit_breaker_calls_total{breaker="ledger",result="failure"}': 2,
      'circuit_breaker_calls_total{breaker="ledger",result="rejected"}': 2,
      'retry_calls_total{operation="limited",outcome="circuit_open"}': 2,
      'retry_dead_letters_total{event="stored",queue="refunds"}': 1,
      'retry_dead_letters_total{event="not_stored",queue="refunds"}': 0,
      'retry_dead_letter_depth{queue="refunds"}': 1,
      'retry_dead_letter_oldest_age_seconds{queue="refunds"}': 2.5,
      'retry_dead_letter_quarantined{queue="refunds"}': 0,
      'retry_durable_waits_total{event="refused",queue="long-waits"}': 1,
      'retry_durable_waits_total{event="handed_over",queue="long-waits"}': 0,
      'retry_dead_letters_total{event="not_stored",queue="long-waits"}': 1,
      'retry_nested_suppressed_total{operation="limited"}': 0,
      'retry_late_results_total{operation="limited",result="success"}': 0,
    });
    for (const other of others) {
      expect(other.samples).toEqual(otel?.samples);
      for (const [family, type] of Object.entries(otel?.types ?? {})) {
        expect([family, other.types[family], other.help[family]]).toEqual([family, type, otel?.help[family]]);
      }
    }
    expect(otel?.samples['retry_calls_total{operation="never called",outcome="success"}']).toBe(0);
  });

  it('carry exemplars with the trace in OpenMetrics mode', async () => {
    for (const client of [promClient, successor]) {
      stopTelemetry();
      store.operations.clear();
      runtime.observers.length = 0;
      startTracing();
      const registry = new client.Registry() as unknown as PrometheusRegistry & {
        setContentType(type: string): void;
        metrics(): Promise<string>;
      };
      registry.setContentType('application/openmetrics-text; version=1.0.0; charset=utf-8');
      registerRetryMetrics(registry);
      await retry(() => 1, { ...quick, operation: 'shown', observer: openTelemetryObserver() });
      const text = await registry.metrics();
      expect(text).toMatch(
        /retry_call_duration_seconds_bucket\{[^}]*\} 1 # \{trace_id="[0-9a-f]{32}",span_id="[0-9a-f]{16}"\} /,
      );
      expect(text).toMatch(
        /retry_calls_total\{operation="shown",outcome="success"\} 1 # \{trace_id="[0-9a-f]{32}",span_id="[0-9a-f]{16}"\} 1 /,
      );
      expect(text).toMatch(/retry_calls_total\{operation="shown",outcome="aborted"\} 0\n/);
      await retry(throwing('text'), { ...quick, operation: 'fails', observer: openTelemetryObserver() }).catch(
        () => {},
      );
      expect(await registry.metrics()).toMatch(
        /retry_attempts_total\{operation="fails",result="failure",error_type="[^"]+"\} 3 # \{trace_id="[0-9a-f]{32}",span_id="[0-9a-f]{16}"\} 1 /,
      );
      expect(text.trimEnd().endsWith('# EOF')).toBe(true);
    }
    expect(trace.getTracerProvider()).toBeDefined();
  });

  it('carry none of a trace that was not sampled, and keep none in the classic text format', async () => {
    const record = { shouldSample: () => ({ decision: SamplingDecision.RECORD }), toString: () => 'record' };
    startTracing({ sampler: record });
    const registry = new promClient.Registry() as unknown as PrometheusRegistry & {
      setContentType(type: string): void;
      metrics(): Promise<string>;
    };
    registerRetryMetrics(registry);
    expect(store.keepsExemplars).toBe(false);
    registry.setContentType('application/openmetrics-text; version=1.0.0; charset=utf-8');
    await registry.metrics();
    expect(store.keepsExemplars).toBe(true);
    await retry(() => 1, { ...quick, operation: 'recorded', observer: openTelemetryObserver() });
    expect(await registry.metrics()).not.toContain('trace_id');
  });

  it('count once when the main entry comes after them', async () => {
    const registry = new promClient.Registry();
    registerRetryMetrics(registry as never);
    await retry(() => 1, { ...quick, operation: 'early' });
    // What the main entry does: its observer goes in front.
    const [earlier] = runtime.observers.splice(0);
    addObserver(openTelemetryObserver());
    addObserver(earlier as RetryObserver);
    await retry(() => 1, { ...quick, operation: 'late' });
    const { samples } = parseExposition(await registry.metrics());
    expect(samples['retry_calls_total{operation="early",outcome="success"}']).toBe(1);
    expect(samples['retry_calls_total{operation="late",outcome="success"}']).toBe(1);
    expect(samples['retry_call_duration_seconds_count{operation="late",result="success"}']).toBe(1);
  });

  it('refuse something that is no registry', () => {
    expect(() => registerRetryMetrics({} as never)).toThrow(TypeError);
    expect(() => registerRetryMetrics(undefined as never)).toThrow(TypeError);
  });
});

describe('the store', () => {
  it('tells 200 operations apart and counts the rest as other', async () => {
    registerRetryMetrics(new promClient.Registry() as never);
    for (let i = 0; i < MAX_OPERATIONS + 50; i++) await retry(() => 1, { operation: `operation ${i}`, ...quick });
    expect(store.operations.size).toBe(MAX_OPERATIONS + 1);
    expect(store.operations.get('other')?.calls.success).toBe(50);
    expect(store.overflow.operation).toBe(50);
  });

  it('bounds the kinds of error of an operation', async () => {
    registerRetryMetrics(new promClient.Registry() as never);
    for (let i = 0; i < MAX_ERROR_TYPES + 10; i++) {
      const error = Object.assign(new Error('x'), { code: `E${i}` });
      await retry(throwing(error), { operation: 'many', maxAttempts: 1 }).catch(() => undefined);
    }
    const failed = store.operations.get('many')?.attemptsFailed;
    expect([failed?.size, failed?.get('other'), store.overflow.error_type]).toEqual([MAX_ERROR_TYPES + 1, 10, 10]);
  });

  it('takes control characters out of labels and cuts them', async () => {
    registerRetryMetrics(new promClient.Registry() as never);
    await retry(() => 1, { operation: `a\u0000b\u2028${'x'.repeat(100)}` });
    // In UTF-8 two halves of pairs are the same, so that two series would have one name.
    await retry(() => 1, { operation: `${'y'.repeat(63)}😀` });
    await retry(() => 1, { operation: 'half \ud83d' });
    expect([...store.operations.keys()]).toEqual([`a b ${'x'.repeat(60)}`, `${'y'.repeat(63)}\ufffd`, 'half \ufffd']);
  });

  it('records nothing as long as nobody reads', async () => {
    const remove = openTelemetryObserver();
    await retry(() => 1, { operation: 'unread', observer: remove });
    expect(store.operations.get('unread')?.calls.success).toBe(0);
  });

  it('leaves out values that are no durations', async () => {
    registerRetryMetrics(new promClient.Registry() as never);
    const clock = {
      ...jest.requireActual<typeof import('../../src/engine/system-clock.ts')>('../../src/engine/system-clock.ts')
        .systemClock,
    };
    let now = 100;
    clock.now = () => now--;
    await retry(() => 1, { operation: 'backwards', clock });
    const cells = store.operations.get('backwards');
    expect([cells?.calls.success, cells?.callDuration.success.count]).toEqual([1, 0]);
  });
});
