import { ForeignCall } from '../../instrumentation/libraries/foreign-call.ts';
import { openTelemetryObserver } from '../../instrumentation/opentelemetry/index.ts';
import { addObserver } from '../../src/core.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { startTracing, stopTelemetry } from './sdk.ts';

afterEach(() => {
  runtime.observers.length = 0;
  runtime.observer = undefined;
  stopTelemetry();
});

it('ends the span of an attempt when the attempt ended, though what follows it is known only later', async () => {
  addObserver(openTelemetryObserver());
  const exporter = startTracing();
  const call = new ForeignCall({ operation: 'foreign', maxAttempts: 2, attributes: {} });
  const failing = async (): Promise<never> => {
    throw new Error('down');
  };
  await Promise.resolve(call.attempt(failing)).catch(() => undefined);
  const failedAt = performance.now();
  while (performance.now() - failedAt < 100);
  await call.attempt(async () => 'fine');
  call.succeed();
  const [failed] = exporter.getFinishedSpans();
  expect(failed).toMatchObject({ name: 'attempt foreign', attributes: { 'retry.attempt': 1, 'retry.next': 'retry' } });
  const [seconds = Number.NaN, nanoseconds = 0] = failed?.endTime ?? [];
  // Not by how long it took: a busy machine may have stood still in the attempt.
  expect(seconds * 1000 + nanoseconds / 1e6 - (performance.timeOrigin + failedAt)).toBeLessThan(25);
});
