import * as api from '@opentelemetry/api';
import { openTelemetryObserver } from '../../instrumentation/opentelemetry/index.ts';
import { faultCounts, retry } from '../../src/core.ts';
import { LINE, seen, startTracing, stopTelemetry } from './sdk.ts';

const observer = openTelemetryObserver();
const failing = (): never => {
  throw new Error('token=hunter2 is wrong');
};

interface Emitted {
  readonly eventName?: string;
  readonly severityNumber?: number;
  readonly severityText?: string;
  readonly attributes?: Record<string, unknown>;
  readonly context?: api.Context;
}
let emitted: Emitted[];
/** A provider of log records, as API 1.10 has them; API 1.9 has none. */
function startLogs(emit: (record: Emitted) => void = record => emitted.push(record)): void {
  if ('logs' in api) api.logs.setGlobalLoggerProvider({ getLogger: () => ({ emit, enabled: () => true }) } as never);
}

beforeEach(() => {
  emitted = [];
});
afterEach(() => {
  delete process.env.OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN;
  if ('logs' in api) api.logs.disable();
  stopTelemetry();
});

async function exceptionEvents(optIn: string | undefined): Promise<number> {
  if (optIn !== undefined) process.env.OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN = optIn;
  const exporter = startTracing();
  await retry(failing, { observer, operation: 'load', maxAttempts: 2, initialDelay: 0 } as never).catch(
    () => undefined,
  );
  return seen(exporter)
    .flatMap(({ events }) => events)
    .filter(([name]) => name === 'exception').length;
}

describe('what a call gave up with is recorded once', () => {
  const hasLogs = LINE === 3;

  it.each([
    [undefined, 1, 0],
    ['', 1, 0],
    ['other', 1, 0],
    ['logs', hasLogs ? 0 : 1, hasLogs ? 1 : 0],
    ['other, logs', hasLogs ? 0 : 1, hasLogs ? 1 : 0],
    ['logs/dup', 1, hasLogs ? 1 : 0],
  ])('OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN=%s: %i span events, %i log records', async (optIn, events, records) => {
    startLogs();
    expect(await exceptionEvents(optIn)).toBe(events);
    expect(emitted).toHaveLength(records);
  });

  it('as a span event where nobody takes log records', async () => {
    expect(await exceptionEvents('logs')).toBe(1);
  });

  it('as a span event where the logger throws, which is counted', async () => {
    startLogs(() => {
      throw new Error('broken logger');
    });
    const before = faultCounts().get('logger') ?? 0;
    expect(await exceptionEvents('logs')).toBe(1);
    expect((faultCounts().get('logger') ?? 0) - before).toBe(hasLogs ? 1 : 0);
  });

  if (hasLogs) {
    it('as a warning with the exception, redacted, in the context of the call span', async () => {
      startLogs();
      await exceptionEvents('logs');
      const [record] = emitted;
      expect(record).toMatchObject({
        eventName: 'retry.call.exception',
        severityNumber: 13,
        severityText: 'WARN',
        attributes: { 'exception.type': 'Error', 'exception.message': 'token=[redacted] is wrong' },
      });
      expect(api.trace.getSpanContext(record?.context as api.Context)?.traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(JSON.stringify(record?.attributes)).not.toContain('hunter2');
    });
  }
});
