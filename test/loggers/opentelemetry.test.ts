import { logs } from '@opentelemetry/api';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { logToOpenTelemetry } from '../../instrumentation/opentelemetry/index.ts';
import { retry } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { startTracing, stopTelemetry } from '../spans/sdk.ts';
import { settle } from '../support/settle.ts';

it('log lines become log records of their call’s span', async () => {
  const spans = startTracing();
  const exporter = new InMemoryLogRecordExporter();
  const remove = logToOpenTelemetry();
  logs.setGlobalLoggerProvider(new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] }));
  const clock = new FakeClock();
  const failing = (): never => {
    throw new Error('down: password=hunter2');
  };
  await settle(clock, retry(failing, { clock, operation: 'load', maxAttempts: 2, jitter: false }));
  remove();
  const call = spans
    .getFinishedSpans()
    .find(({ name }) => name === 'retry load')
    ?.spanContext();
  expect(
    exporter
      .getFinishedLogRecords()
      .map(record => [
        record.severityText,
        record.severityNumber,
        record.body,
        record.attributes,
        record.spanContext?.spanId,
      ]),
  ).toEqual([
    [
      'WARN',
      13,
      'Retry attempt 1/2 failed for load, waiting 1.00s',
      { operation: 'load', attempt: 1, max_attempts: 2, delay_seconds: 1, error: 'Error: down: password=[redacted]' },
      call?.spanId,
    ],
    [
      'ERROR',
      17,
      'All retry attempts exhausted for load',
      { operation: 'load', attempts: 2, error: 'Error: down: password=[redacted]', reason: 'attempts_exhausted' },
      call?.spanId,
    ],
  ]);
  logs.disable();
  stopTelemetry();
});

it('log lines without a span, or without a provider, do no harm', async () => {
  const remove = logToOpenTelemetry();
  const clock = new FakeClock();
  const call = retry(({ number }) => (number < 2 ? Promise.reject(new Error('x')) : number), { clock });
  expect(await settle(clock, call)).toEqual({ value: 2 });
  remove();
});
