import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { openTelemetryObserver } from '../../instrumentation/opentelemetry/index.ts';
import { store } from '../../instrumentation/store/store.ts';
import { faultCounts, retry } from '../../src/core.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { settle } from '../support/settle.ts';
import { startTracing, stopTelemetry } from './sdk.ts';

const observer = openTelemetryObserver();

beforeEach(() => {
  store.operations.clear();
  store.readers.add('test');
});
afterEach(() => {
  store.readers.clear();
  stopTelemetry();
});

const throwingFor = (method: 'onStart' | 'onEnd', name: string): SpanProcessor => ({
  onStart: () => undefined,
  onEnd: () => undefined,
  forceFlush: async () => undefined,
  shutdown: async () => undefined,
  [method]: (span: { name: string }) => {
    if (span.name === name) throw new Error('broken processor');
  },
});

describe('a span processor that throws', () => {
  it.each<['onStart' | 'onEnd', string]>([
    ['onStart', 'retry load'],
    ['onStart', 'attempt load'],
    ['onEnd', 'retry load'],
    ['onEnd', 'attempt load'],
  ])('in %s of "%s" leaves the caller and every number as they are', async (method, name) => {
    const seenBySdk = startTracing({ processors: [throwingFor(method, name)] });
    const clock = new FakeClock();
    const before = [...faultCounts().values()].reduce((a, b) => a + b, 0);
    const work = ({ number }: { number: number }): number => {
      if (number < 3) throw new Error('down');
      return number;
    };
    expect(await settle(clock, retry(work, { clock, observer, operation: 'load' }))).toEqual({ value: 3 });
    const cells = store.operations.get('load');
    expect(cells?.calls).toMatchObject({ success: 0, success_after_retry: 1 });
    expect([cells?.attemptsSucceeded, cells?.attemptsFailed.get('Error'), cells?.retries.backoff]).toEqual([1, 2, 2]);
    expect([cells?.inAttempt, cells?.waiting]).toEqual([0, 0]);
    expect([cells?.callDuration.success.count, cells?.attemptDuration.failure.count, cells?.delay.count]).toEqual([
      1, 2, 2,
    ]);
    expect([...faultCounts().values()].reduce((a, b) => a + b, 0)).toBeGreaterThan(before);
    expect(seenBySdk).toBeDefined();
  });
});
