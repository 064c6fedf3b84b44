import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageFolder, runApp } from './support/run-app.ts';

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
  const hooks = join(modules, '@opentelemetry/instrumentation');
  // It hooks modules, whichever line the SDK is of.
  if (!existsSync(hooks)) symlinkSync(join(root, 'node_modules/@opentelemetry/instrumentation'), hooks);
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
