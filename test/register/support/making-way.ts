import { runApp } from './run-app.ts';

/**
 * What the SDK that register has started has to leave to the app.
 *
 * @param line of OpenTelemetry
 * @param logsApi the package through which log records go in that line
 * @param within gives the folder below which the packages of that line are found
 */
export function describeMakingWay(line: string, logsApi: string, within: () => string): void {
  /** The app's own, and what has come to it. */
  const OWN = `
    import { trace } from '@opentelemetry/api';
    import { logs } from '${logsApi}';
    import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
    import { MetricReader } from '@opentelemetry/sdk-metrics';
    import { NodeSDK } from '@opentelemetry/sdk-node';
    import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
    class Reader extends MetricReader { async onShutdown() {} async onForceFlush() {} }
    const reader = new Reader();
    const spanExporter = new InMemorySpanExporter();
    const logExporter = new InMemoryLogRecordExporter();
    const spanProcessors = [new SimpleSpanProcessor({ exporter: spanExporter })];
    const logRecordProcessors = [new SimpleLogRecordProcessor({ exporter: logExporter })];
    const start = () =>
      new NodeSDK({ resourceDetectors: [], spanProcessors, logRecordProcessors, metricReaders: [reader] }).start();
    const takeLogs = () => logs.setGlobalLoggerProvider(new LoggerProvider({ processors: logRecordProcessors }));
    const ownSpans = async () => {
      await spanProcessors[0].forceFlush();
      return spanExporter.getFinishedSpans().map(({ name }) => name);
    };
    const ownLogs = async () => {
      await logRecordProcessors[0].forceFlush();
      return logExporter.getFinishedLogRecords().map(({ body }) => body);
    };
    const ownCalls = async () => {
      const { resourceMetrics } = await reader.collect();
      const family = resourceMetrics.scopeMetrics.flatMap(scope => scope.metrics).find(m => m.descriptor.name === 'retry.calls');
      return family.dataPoints.filter(point => point.value > 0).map(point => [point.attributes.outcome, point.value]);
    };`;
  const LOAD_USER = `
    import { retry } from 'retryscope';
    let calls = 0;
    const loadUser = () => retry(() => { if (++calls % 2 === 1) throw new Error('x'); }, { operation: 'load_user', initialDelay: 1 });`;
  const SPANS = ['attempt load_user', 'attempt load_user', 'retry load_user'];
  const REPLACED = /The app has started an OpenTelemetry SDK/g;

  describe(`an SDK of ${line} that the app starts after the one of register`, () => {
    it.each([
      { OTEL_TRACES_EXPORTER: 'console' },
      { OTEL_EXPORTER_PROMETHEUS_PORT: '0' },
      { OTEL_TRACES_EXPORTER: 'console', OTEL_LOGS_EXPORTER: 'console' },
    ])('takes its place and loses nothing, with %j', async env => {
      const { reported, stderr, code } = await runApp(
        {
          env,
          main: `${LOAD_USER}${OWN}
            start();
            await loadUser();
            logs.getLogger('app').emit({ body: 'said' });
            report(await Promise.all([ownSpans(), ownLogs(), ownCalls()]));`,
        },
        within(),
      );
      expect([reported, code]).toEqual([[[SPANS, ['said'], [['success_after_retry', 1]]]], 0]);
      expect(stderr.match(REPLACED)).toHaveLength(1);
    });

    it('is given the spans and log records of tracers and loggers from before its start where that of register makes none', async () => {
      const { reported } = await runApp(
        {
          env: { OTEL_EXPORTER_PROMETHEUS_PORT: '0' },
          main: `${OWN}
            const tracer = trace.getTracer('app');
            const logger = logs.getLogger('app');
            start();
            tracer.startSpan('early').end();
            logger.emit({ body: 'said' });
            report(await Promise.all([ownSpans(), ownLogs()]));`,
        },
        within(),
      );
      expect(reported).toEqual([[['early'], ['said']]]);
    });
  });

  describe(`a provider of loggers of ${line} that the app registers`, () => {
    it.each([{ OTEL_TRACES_EXPORTER: 'console' }, { OTEL_LOGS_EXPORTER: 'console' }])(
      'is given the log records, and leaves the rest to the SDK of register, with %j',
      async env => {
        const { reported, stderr } = await runApp(
          {
            env: { OTEL_TRACES_EXPORTER: 'console', ...env },
            main: `${OWN}
              takeLogs();
              logs.getLogger('app').emit({ body: 'said' });
              report([await ownLogs(), trace.getTracer('x').startSpan('x').isRecording()]);`,
          },
          within(),
        );
        expect([reported, stderr]).toEqual([[[['said'], true]], '']);
      },
    );

    it('is given those of loggers from before where nobody asks register for them', async () => {
      const { reported, stderr } = await runApp(
        {
          env: { OTEL_TRACES_EXPORTER: 'console' },
          main: `${OWN}
            const logger = logs.getLogger('app');
            takeLogs();
            logger.emit({ body: 'said' });
            report(await ownLogs());`,
        },
        within(),
      );
      expect([reported, stderr]).toEqual([[['said']], '']);
    });

    it.each([{}, { OTEL_LOGS_EXPORTER: 'console' }])(
      'stays when it was there before the SDK of register, which makes way later, with %j',
      async env => {
        const { reported, stderr } = await runApp(
          {
            options: ['--import', './logs.mjs', '--import', 'retryscope/register'],
            env: { OTEL_TRACES_EXPORTER: 'console', ...env },
            files: { 'logs.mjs': `${OWN}takeLogs(); Object.assign(globalThis, { ownLogs });` },
            main: `
              import { trace } from '@opentelemetry/api';
              import { logs } from '${logsApi}';
              import { TracerProvider } from '@opentelemetry/sdk-trace';
              trace.setGlobalTracerProvider(new TracerProvider());
              logs.getLogger('app').emit({ body: 'said' });
              report(await ownLogs());`,
          },
          within(),
        );
        expect(reported).toEqual([['said']]);
        expect(stderr.match(REPLACED)).toHaveLength(1);
      },
    );
  });
}
