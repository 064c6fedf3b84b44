import { packageFolder, runApp } from './support/run-app.ts';

// Processes are started here, on machines that may be busy.
jest.setTimeout(60_000);
beforeAll(packageFolder, 60_000);

/** A server that fails twice, and an SDK of the app itself whose processors do not know of retries. */
const APP = `
  import { createServer } from 'node:http';
  import { createRequire } from 'node:module';
  // What is required is patched by the app's own instrumentation without a hook for imports.
  const { get } = createRequire(import.meta.url)('node:http');
  import { retry } from 'retryscope';
  let count = 0;
  const server = createServer((request, response) => { response.statusCode = ++count % 3 === 0 ? 200 : 503; response.end(); });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  const url = 'http://127.0.0.1:' + server.address().port;
  const viaHttp = () => new Promise((resolve, reject) => get(url, answer => {
    answer.resume();
    answer.on('end', () => answer.statusCode === 200 ? resolve() : reject(new Error('x')));
  }));
  const viaFetch = async () => { const answer = await fetch(url); await answer.text(); if (!answer.ok) throw new Error('x'); };
  const resent = () => spans().filter(([name, attributes, kind]) => kind === 2).map(([name, attributes]) => attributes['http.request.resend_count'] ?? null);
  const quick = { initialDelay: 1 };
  await viaFetch().catch(() => undefined); count = 0;
`;
const SDK = `
  import { context, trace } from '@opentelemetry/api';
  import { TracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
  import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
  import { registerInstrumentations } from '@opentelemetry/instrumentation';
  import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
  import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
  const exporter = new InMemorySpanExporter();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  trace.setGlobalTracerProvider(tracerProvider);
  registerInstrumentations({ tracerProvider, instrumentations: [new UndiciInstrumentation(), new HttpInstrumentation()] });
  globalThis.spans = () => exporter.getFinishedSpans().map(span => [span.name, span.attributes, span.kind]);
`;

describe('http.request.resend_count', () => {
  it.each([
    ['the SDK of the app, started before', ['--import', './sdk.mjs', '--import', 'retryscope/register'], ''],
    ['the SDK of the app, started later', ['--import', 'retryscope/register', '--import', './sdk.mjs'], ''],
    ['the SDK of the app, started by the app', ['--import', 'retryscope/register'], `import './sdk.mjs';`],
  ])('is on the client spans under attempts 2 and 3, with %s', async (_sdk, options, first) => {
    const { reported, stderr } = await runApp({
      options,
      files: { 'sdk.mjs': SDK },
      main: `${first}${APP}
        await retry(viaFetch, quick);
        report(resent());
        await retry(viaHttp, quick);
        report(resent());
        server.close(); server.closeAllConnections();`,
    });
    expect([reported, stderr]).toEqual([
      [
        [null, null, 1, 2],
        [null, null, 1, 2, null, 1, 2],
      ],
      '',
    ]);
  });

  it('is on those under a fetch that is retried by the policy file', async () => {
    const services = [{ kind: 'http', policy: { maxAttempts: 3, initialDelay: 1 } }];
    const { reported, stderr } = await runApp({
      options: ['--import', './sdk.mjs', '--import', 'retryscope/register'],
      files: { 'sdk.mjs': SDK, 'retryscope.config.json': JSON.stringify({ services }) },
      main: `${APP} await (await fetch(url)).text(); report(resent()); server.close(); server.closeAllConnections();`,
    });
    // The first call of all is retried as well.
    expect([reported, stderr]).toEqual([[[null, 1, 2, null, 1, 2]], '']);
  });
});
