import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { describeMakingWay } from './support/making-way.ts';
import { type OtlpCollector, startOtlpCollector } from './support/otlp-collector.ts';
import { packageFolder, runApp } from './support/run-app.ts';
import { scraping } from './support/scraping.ts';

// Processes are started here, on machines that may be busy.
jest.setTimeout(60_000);

const root = process.cwd();
const SECOND_LINE = join(root, 'test/opentelemetry-2/node_modules/@opentelemetry');

/** A folder in which our package and the 2.x line of OpenTelemetry are installed. */
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'retryscope-register-2-'));
  const modules = join(folder, 'node_modules');
  await cp(join(packageFolder(), 'node_modules/retryscope'), join(modules, 'retryscope'), { recursive: true });
  mkdirSync(join(modules, '@opentelemetry'));
  for (const name of readdirSync(SECOND_LINE)) {
    symlinkSync(join(SECOND_LINE, name), join(modules, '@opentelemetry', name));
  }
  symlinkSync(join(root, 'node_modules/p-retry'), join(modules, 'p-retry'));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SDK = `
  import { context, SpanKind, trace } from '@opentelemetry/api';
  import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
  import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
  const exporter = new InMemorySpanExporter();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  globalThis.spans = () => exporter.getFinishedSpans().map(span => [span.name, span.attributes['http.request.resend_count'] ?? null]);
  globalThis.request = () => trace.getTracer('client').startSpan('GET', { kind: SpanKind.CLIENT, attributes: { 'http.request.method': 'GET' } }).end();
`;
const RETRIED = `
  import pRetry from 'p-retry';
  let calls = 0;
  await pRetry(function load() { request(); if (++calls < 3) throw new Error('x'); }, { minTimeout: 1 });
  report(spans());`;
const SHOWN = [
  ['GET', null],
  ['attempt load', null],
  ['GET', 1],
  ['attempt load', null],
  ['GET', 2],
  ['attempt load', null],
  ['retry load', null],
];

describe('register with the 2.x line of OpenTelemetry', () => {
  it.each([
    ['started before', ['--import', './sdk.mjs', '--import', 'retryscope/register'], ''],
    ['started later', ['--import', 'retryscope/register', '--import', './sdk.mjs'], ''],
    ['started by the app', ['--import', 'retryscope/register'], `import './sdk.mjs';`],
    ['started by the app, with --require', ['--require', 'retryscope/register'], `import './sdk.mjs';`],
  ])(
    'shows the attempts of a library, and counts what is sent again, with an SDK %s',
    async (_when, options, first) => {
      const { reported, stderr, code } = await runApp(
        { options, files: { 'sdk.mjs': SDK }, main: `${first}${RETRIED}` },
        folder,
      );
      expect([reported, stderr, code]).toEqual([[SHOWN], '', 0]);
    },
  );

  it('shows a fetch that is retried by its rule', async () => {
    const services = [{ kind: 'http', policy: { maxAttempts: 3, initialDelay: 1 } }];
    const { reported, stderr, code } = await runApp(
      {
        files: { 'sdk.mjs': SDK, 'retryscope.config.json': JSON.stringify({ services }) },
        main: `import './sdk.mjs';
          import { createServer } from 'node:http';
          let count = 0;
          const server = createServer((request, response) => { response.statusCode = ++count < 3 ? 503 : 200; response.end(); });
          await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
          report((await fetch('http://127.0.0.1:' + server.address().port)).status);
          report(spans().map(([name]) => name.split(' ')[0]));
          server.close();
          server.closeAllConnections();`,
      },
      folder,
    );
    expect([reported, stderr, code]).toEqual([[200, ['attempt', 'attempt', 'attempt', 'retry']], '', 0]);
  });

  it('gives its numbers to a reader of the app', async () => {
    const { reported, stderr } = await runApp(
      {
        files: { 'sdk.mjs': SDK },
        main: `import './sdk.mjs';
          import { metrics } from '@opentelemetry/api';
          import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
          import pRetry from 'p-retry';
          class Reader extends MetricReader { async onShutdown() {} async onForceFlush() {} }
          const reader = new Reader();
          metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
          let calls = 0;
          await pRetry(() => { if (++calls < 3) throw new Error('x'); }, { minTimeout: 1 });
          const { resourceMetrics } = await reader.collect();
          const family = resourceMetrics.scopeMetrics.flatMap(scope => scope.metrics).find(m => m.descriptor.name === 'retry.calls');
          report(family.dataPoints.filter(point => point.value > 0).map(point => [point.attributes.outcome, point.value]));`,
      },
      folder,
    );
    expect([reported, stderr]).toEqual([[[['success_after_retry', 1]]], '']);
  });
});

const LOAD_USER = `
  import { retry } from 'retryscope';
  let calls = 0;
  const loadUser = () => retry(() => { if (++calls % 2 === 1) throw new Error('x'); }, { operation: 'load_user', initialDelay: 1 });`;
const SPANS = ['attempt load_user', 'attempt load_user', 'retry load_user'];

describe('an SDK of the 2.x line that register starts', () => {
  it('shows spans in the console', async () => {
    const { reported, stderr, code } = await runApp(
      {
        env: { OTEL_TRACES_EXPORTER: 'console' },
        // What the exporter of the SDK writes with.
        main: `${LOAD_USER}
          console.dir = ({ name, parentSpanContext, resource }) =>
            report([name, parentSpanContext !== undefined, resource.attributes['telemetry.sdk.version'].split('.')[0]]);
          await loadUser();`,
      },
      folder,
    );
    const shown = SPANS.map(name => [name, name.startsWith('attempt'), '2']);
    expect([reported, stderr, code]).toEqual([shown, '', 0]);
  });

  it('serves metrics', async () => {
    const port = await freePort();
    const { reported, stderr, code } = await runApp(
      {
        env: { OTEL_EXPORTER_PROMETHEUS_PORT: String(port), OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1' },
        main: `${LOAD_USER}await loadUser();${scraping(port)}`,
      },
      folder,
    );
    expect([reported, stderr, code]).toEqual([
      [['retry_calls_total{operation="load_user",outcome="success_after_retry"} 1']],
      '',
      0,
    ]);
  });

  it('is not started beside one that is there', async () => {
    const { reported, stderr, code } = await runApp(
      {
        options: ['--import', './sdk.mjs', '--import', 'retryscope/register'],
        env: { OTEL_TRACES_EXPORTER: 'console', OTEL_METRICS_EXPORTER: 'console' },
        files: { 'sdk.mjs': SDK },
        main: `${LOAD_USER}
          import { createNoopMeter, metrics } from '@opentelemetry/api';
          await loadUser();
          report(spans().map(([name]) => name));
          report(metrics.getMeterProvider().getMeter('x') === createNoopMeter());`,
      },
      folder,
    );
    expect([reported, stderr, code]).toEqual([[SPANS, true], '', 0]);
  });
});

describe('what an SDK of the 2.x line has recorded that register has started', () => {
  let collector: OtlpCollector;
  beforeEach(async () => {
    collector = await startOtlpCollector();
  });
  afterEach(() => collector.end());

  /** By path, how often something came, and which of these names are in it. */
  const sent = (): unknown =>
    ['/v1/metrics', '/v1/traces'].map(path => {
      const texts = collector.received.filter(request => request.path === path).map(({ text }) => text);
      return [path, texts.length, ['retry.calls', ...SPANS.slice(1)].filter(name => texts.join().includes(name))];
    });
  const ALL = [
    ['/v1/metrics', 1, ['retry.calls']],
    ['/v1/traces', 1, SPANS.slice(1)],
  ];

  it.each(['--import', '--require'])(
    'is sent before a process ends that has nothing left to do, with %s',
    async option => {
      const { stderr, code } = await runApp(
        {
          options: [option, 'retryscope/register'],
          env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint },
          // By --require the SDK is started later than the app.
          main: `${LOAD_USER}
          import { trace } from '@opentelemetry/api';
          while (!trace.getTracer('x').startSpan('x').isRecording()) await new Promise(resolve => setTimeout(resolve, 5));
          await loadUser();`,
        },
        folder,
      );
      expect([sent(), stderr, code]).toEqual([ALL, '', 0]);
    },
  );

  it('is sent before a process dies of SIGTERM, of which it dies as before', async () => {
    const { stderr, signal } = await runApp(
      {
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint },
        main: `${LOAD_USER}await loadUser(); setInterval(() => undefined, 1000); report('ready');`,
        onReport: (_value, app) => app.kill('SIGTERM'),
      },
      folder,
    );
    expect([sent(), stderr, signal]).toEqual([ALL, '', 'SIGTERM']);
  });

  it('does not hold up the end of a process for long when nobody takes it', async () => {
    const startedAt = performance.now();
    const { code, signal } = await runApp(
      {
        env: {
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
          OTEL_EXPORTER_OTLP_TIMEOUT: '60000',
        },
        main: `${LOAD_USER}await loadUser(); process.exitCode = 3;`,
      },
      folder,
    );
    expect([code, signal]).toEqual([3, null]);
    expect(performance.now() - startedAt).toBeLessThan(30_000);
  });
});

describeMakingWay('the 2.x line', '@opentelemetry/api-logs', () => folder);

describe('startTelemetry with the 2.x line of OpenTelemetry', () => {
  const USED = `
    startTelemetry({ prometheus: 'mount' });
    const exporter = new InMemoryLogRecordExporter();
    logs.setGlobalLoggerProvider(new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] }));
    logger.emit({ body: 'said' });
    report(exporter.getFinishedLogRecords().map(({ body }) => body));`;
  const NAMES = [
    ['@opentelemetry/api-logs', '{ logs }'],
    ['@opentelemetry/sdk-logs', '{ InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor }'],
    ['retryscope/setup', '{ startTelemetry }'],
  ];
  it.each([
    ['mjs', NAMES.map(([from, names]) => `import ${names} from '${from}';`)],
    ['cjs', NAMES.map(([from, names]) => `const ${names} = require('${from}');`)],
  ] as const)('leaves logs to the app when the environment does not ask for them (%s)', async (type, lines) => {
    const main = `${lines.join('\n')}const logger = logs.getLogger('app');${USED}`;
    const { reported, stderr, code } = await runApp({ type, options: [], main }, folder);
    expect([reported, stderr, code]).toEqual([[['said']], '', 0]);
  });
});
