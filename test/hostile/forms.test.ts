import { Writable } from 'node:stream';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import pino from 'pino';
import { register } from 'prom-client';
import { createLogger, format, transports } from 'winston';
import { loggingObserver } from '../../instrumentation/loggers/index.ts';
import { openTelemetryObserver } from '../../instrumentation/opentelemetry/index.ts';
import { registerRetryMetrics } from '../../instrumentation/prometheus/index.ts';
import { faultCounts, retrySummary, retrySync } from '../../src/core.ts';
import { composeObservers } from '../../src/engine/compose.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { FORMS } from '../support/forms.ts';
import { settle } from '../support/settle.ts';
import { HOSTILE_VALUES } from './values.ts';

const sink = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });
const exporter = new InMemorySpanExporter();

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  registerRetryMetrics(register);
});

const observer = composeObservers([
  openTelemetryObserver(),
  loggingObserver(createLogger({ format: format.json(), transports: [new transports.Stream({ stream: sink() })] })),
  loggingObserver(pino(sink())),
]);

describe.each(FORMS.map(form => [form.name, form] as const))('%s, with traces, metrics and logs on', (_name, form) => {
  it.each(HOSTILE_VALUES)('gives back %s unchanged after the attempts of its class', async (_value, make) => {
    const value = make();
    const clock = new FakeClock();
    let attempts = 0;
    const faults = [...faultCounts().values()].reduce((a, b) => a + b, 0);
    exporter.reset();
    const call = form.run(
      () => {
        attempts++;
        throw value;
      },
      { clock, observer: observer as never, operation: 'hostile', retryOn: () => true },
    );
    const result = await settle(clock, call);
    expect('error' in result && Object.is(result.error, value)).toBe(true);
    expect(attempts).toBe(isMarked(value) ? 1 : 3);
    if ((typeof value === 'object' && value !== null) || typeof value === 'function') {
      expect(retrySummary(value)?.attempts).toBe(attempts);
    }
    expect(exporter.getFinishedSpans()).toHaveLength(attempts + 1);
    expect([...faultCounts().values()].reduce((a, b) => a + b, 0)).toBe(faults);
  });
});

describe('while another call gives up', () => {
  // From then on a call has to look into its errors for one that was given up inside.
  it.each(HOSTILE_VALUES)('every form gives back %s unchanged, and ends once', async (_value, make) => {
    const value = make();
    const clock = new FakeClock();
    const faults = total();
    for (const form of FORMS) {
      exporter.reset();
      const ends = jest.fn();
      const options = { clock, operation: 'hostile', retryOn: () => true } as const;
      const call = form.run(
        () => {
          expect(() => retrySync(refuse, { clock, maxAttempts: 2, operation: 'other' })).toThrow('other');
          throw value;
        },
        { ...options, observer: composeObservers([observer as never, { call: () => ({ end: ends }) }]) as never },
      );
      const result = await settle(clock, call);
      expect([form.name, 'error' in result && Object.is(result.error, value)]).toEqual([form.name, true]);
      expect(ends).toHaveBeenCalledTimes(1);
      expect(exporter.getFinishedSpans().filter(({ name }) => name === 'retry hostile')).toHaveLength(1);
    }
    expect(total()).toBe(faults);
  });
});

function refuse(): never {
  throw new Error('other');
}

function total(): number {
  return [...faultCounts().values()].reduce((a, b) => a + b, 0);
}

/** `retryable: false` of the value itself is believed. */
function isMarked(value: unknown): boolean {
  try {
    return (value as { retryable?: unknown } | null)?.retryable === false;
  } catch {
    return false;
  }
}

describe('the default classification', () => {
  it.each(HOSTILE_VALUES)('never throws: %s', async (_value, make) => {
    const value = make();
    const clock = new FakeClock();
    for (const form of FORMS) {
      const result = await settle(
        clock,
        form.run(
          () => {
            throw value;
          },
          { clock, observer: observer as never },
        ),
      );
      expect('error' in result && Object.is(result.error, value)).toBe(true);
    }
  });
});

describe('a hostile result', () => {
  it.each(HOSTILE_VALUES.filter(([name]) => !/promise|then|proxy/.test(name)))(
    'is given back unchanged: %s',
    async (_value, make) => {
      const value = make();
      const clock = new FakeClock();
      for (const form of FORMS) {
        const result = await settle(
          clock,
          form.run(() => value, { clock, observer: observer as never }),
        );
        expect('value' in result && Object.is(result.value, value)).toBe(true);
      }
    },
  );
});
