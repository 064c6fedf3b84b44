import { FLUSH_LIMIT } from '../../instrumentation/register/sdk/exit.ts';
import { freePort } from '../support/free-port.ts';
import { packageFolder, runApp } from './support/run-app.ts';

// Processes are started here, on machines that may be busy.
jest.setTimeout(60_000);
beforeAll(packageFolder, 60_000);

/** An app that drains until the telemetry has heard of the end as well: it is flushed, or it takes the process with it. */
const DRAINING = (listen: 'once' | 'on'): string => `
  const { trace } = require('@opentelemetry/api');
  const { promise: heard, resolve: hear } = Promise.withResolvers();
  process.${listen}('SIGTERM', async () => {
    report('draining');
    report(await heard);
    process.exit(7);
  });
  process.kill = () => hear('killed');
  // By --require the SDK is started later than the app, and so listens later.
  const timer = setInterval(() => {
    if (!trace.getTracer('x').startSpan('x').isRecording()) return;
    clearInterval(timer);
    setInterval(() => undefined, 1000);
    trace.getTracerProvider().getDelegate().forceFlush = async () => hear('flushed');
    report('ready');
  }, 5);`;

describe('an app that listens for SIGTERM', () => {
  describe.each(['--require', '--import'])('with %s', option => {
    it.each(['once', 'on'] as const)('does its work before it ends (%s)', async listen => {
      const { reported, code, signal } = await runApp({
        type: 'cjs',
        options: [option, 'retryscope/register'],
        env: { OTEL_TRACES_EXPORTER: 'console' },
        main: DRAINING(listen),
        onReport: (value, app) => {
          if (value === 'ready') app.kill('SIGTERM');
        },
      });
      expect([reported, code, signal]).toEqual([['ready', 'draining', 'flushed'], 7, null]);
    });
  });
});

describe('an app that has work left when the process would end', () => {
  // The same with "on" is left alone since its listener is still there.
  it('is not cut off by --require where the telemetry cannot be sent', async () => {
    const { reported, code } = await runApp({
      type: 'cjs',
      options: ['--require', 'retryscope/register'],
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
        OTEL_EXPORTER_OTLP_TIMEOUT: '60000',
      },
      main: `
        const { retry } = require('retryscope');
        const { trace } = require('@opentelemetry/api');
        process.once('beforeExit', () => {
          // Work that takes longer than the telemetry is waited for.
          const end = performance.now() + ${FLUSH_LIMIT + 1000};
          const timer = setInterval(() => {
            if (performance.now() < end) return;
            clearInterval(timer);
            report('done');
            process.exit(7);
          }, 50);
        });
        const timer = setInterval(() => {
          if (!trace.getTracer('x').startSpan('x').isRecording()) return;
          clearInterval(timer);
          void retry(() => undefined, { operation: 'load_user' });
        }, 5);`,
    });
    expect([reported, code]).toEqual([['done'], 7]);
  });
});
