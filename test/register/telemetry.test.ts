import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from '../redis/support/until.ts';
import { freePort } from '../support/free-port.ts';
import { describeMakingWay } from './support/making-way.ts';
import { type OtlpCollector, startOtlpCollector } from './support/otlp-collector.ts';
import { folderWith, packageFolder, runApp, sdk } from './support/run-app.ts';
import { scraping } from './support/scraping.ts';

// Processes are started here, on machines that may be busy.
jest.setTimeout(60_000);
beforeAll(packageFolder, 60_000);

const RETRIED = `
  import { retry } from 'retryscope';
  let calls = 0;
  const retried = () => retry(() => { if (++calls % 2 === 1) throw new Error('x'); }, { operation: 'load_user', initialDelay: 1 });`;
/** Whether an SDK is there, and what listens. */
const FACTS = `
  import { trace } from '@opentelemetry/api';
  const facts = () => ({
    traced: trace.getTracer('x').startSpan('x').isRecording(),
    listening: process.getActiveResourcesInfo().includes('TCPServerWrap'),
  });`;

describe('an SDK', () => {
  it('is not started, and no port is opened, when the environment does not ask for it', async () => {
    const { reported, stderr, code } = await runApp({
      main: `${RETRIED}${FACTS}await retried(); await new Promise(r => setTimeout(r, 700)); report(facts());`,
    });
    expect([reported, stderr, code]).toEqual([[{ traced: false, listening: false }], '', 0]);
  });

  it('is started when it asks for metrics, which are served', async () => {
    const port = await freePort();
    const { reported, stderr, code } = await runApp({
      env: { OTEL_EXPORTER_PROMETHEUS_PORT: String(port), OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1' },
      main: `${RETRIED}await retried();${scraping(port)}`,
    });
    expect([reported, stderr, code]).toEqual([
      [['retry_calls_total{operation="load_user",outcome="success_after_retry"} 1']],
      '',
      0,
    ]);
  });

  it('does not keep a process alive by the connections on which it serves metrics', async () => {
    const port = await freePort();
    const sockets: Socket[] = [];
    const { code, signal } = await runApp({
      env: { OTEL_EXPORTER_PROMETHEUS_PORT: String(port), OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1' },
      main: `
        const timer = setInterval(() => undefined, 1000);
        process.once('SIGUSR2', () => clearInterval(timer));
        report('ready');`,
      onReport: async (_value, app) => {
        sockets.push(await scraped(port), await opened(port));
        // Of a request that is the first of its connection Node waits a minute for the rest.
        sockets.at(-1)?.write('GET /metrics HTTP/1.1\r\nHost:');
        app.kill('SIGUSR2');
      },
    });
    for (const socket of sockets) socket.destroy();
    expect([code, signal]).toEqual([0, null]);
  });

  it.each([
    [{ OTEL_TRACES_EXPORTER: 'console' }, { traced: true, listening: false }],
    [
      { OTEL_TRACES_EXPORTER: 'console', OTEL_SDK_DISABLED: 'true' },
      { traced: false, listening: false },
    ],
    [
      { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' },
      { traced: false, listening: false },
    ],
  ])('does for %j what it asks', async (env, expected) => {
    const { reported } = await runApp({
      env,
      main: `${FACTS}await new Promise(r => setTimeout(r, 700)); report(facts());`,
    });
    expect(reported).toEqual([expected]);
  });

  it('makes way for one that the app starts, which loses nothing', async () => {
    const port = await freePort();
    const { reported, stderr } = await runApp({
      env: { OTEL_TRACES_EXPORTER: 'console', OTEL_EXPORTER_PROMETHEUS_PORT: String(port) },
      main: `${RETRIED}${FACTS}${sdk('import')}
        startSdk();
        await retried();
        await new Promise(r => setTimeout(r, 700));
        report(spans().map(([name]) => name));
        report(facts());`,
    });
    expect(reported).toEqual([
      ['attempt load_user', 'attempt load_user', 'retry load_user'],
      { traced: true, listening: false },
    ]);
    expect(stderr.match(/The app has started an OpenTelemetry SDK/g)).toHaveLength(1);
  });

  it('shows the numbers in the instruments of the app as well when it makes way', async () => {
    const { reported } = await runApp({
      env: { OTEL_EXPORTER_PROMETHEUS_PORT: '0' },
      main: `${RETRIED}
        import { metrics } from '@opentelemetry/api';
        import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
        class Reader extends MetricReader { async onShutdown() {} async onForceFlush() {} }
        const reader = new Reader();
        metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
        await retried();
        const { resourceMetrics } = await reader.collect();
        const family = resourceMetrics.scopeMetrics.flatMap(scope => scope.metrics).find(m => m.descriptor.name === 'retry.calls');
        report(family.dataPoints.filter(point => point.value > 0).map(point => [point.attributes.outcome, point.value]));`,
    });
    expect(reported).toEqual([[['success_after_retry', 1]]]);
  });

  it('leaves the propagator to the app when that is all that the app registers', async () => {
    const { reported, stderr } = await runApp({
      env: { OTEL_TRACES_EXPORTER: 'console' },
      main: `${FACTS}
        import { propagation, context } from '@opentelemetry/api';
        propagation.setGlobalPropagator({ inject: (context, carrier) => { carrier.own = '1'; }, extract: context => context, fields: () => ['own'] });
        const carrier = {};
        propagation.inject(context.active(), carrier);
        report([carrier, facts().traced]);`,
    });
    expect([reported, stderr]).toEqual([[[{ own: '1' }, true]], '']);
  });

  it('is told when it is asked for but not installed', async () => {
    const { reported, stderr } = await runApp(
      { env: { OTEL_TRACES_EXPORTER: 'otlp' }, main: `${RETRIED}await retried(); report(calls);` },
      folderWith(['@opentelemetry/api', '@opentelemetry/instrumentation']),
    );
    expect(reported).toEqual([2]);
    expect(stderr).toContain('OTEL_ variables ask for telemetry, but the SDK is not installed: npm install');
  });
});

/** A connection, opened as soon as something listens. */
async function opened(port: number): Promise<Socket> {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  await until(async () => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    resolve(socket);
    return true;
  });
  const socket = await promise;
  // It is cut when the process ends.
  return socket.on('error', () => undefined);
}

/** One that is kept open after the metrics have been read through it. */
async function scraped(port: number): Promise<Socket> {
  const socket = await opened(port);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until(() => {
    const [head = '', body = ''] = text.split('\r\n\r\n');
    return /^content-length: (\d+)/im.exec(head)?.[1] === String(Buffer.byteLength(body));
  });
  return socket;
}

describeMakingWay('the 3.x line', '@opentelemetry/api', packageFolder);

const SENT = ['/v1/metrics', '/v1/traces'];

describe('what has been recorded', () => {
  let collector: OtlpCollector;
  beforeEach(async () => {
    collector = await startOtlpCollector();
  });
  afterEach(() => collector.end());
  const paths = (): string[] => collector.received.map(({ path }) => path).sort();
  const isCounted = (): boolean => collector.received.some(({ text }) => text.includes('retry.calls'));

  it('is sent before a process ends that has nothing left to do', async () => {
    const { code } = await runApp({
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint },
      main: `${RETRIED}await retried();`,
    });
    expect([code, paths()]).toEqual([0, SENT]);
  });

  it('is sent before a process dies of SIGTERM, of which it dies as before', async () => {
    const { signal } = await runApp({
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint },
      main: `${RETRIED}await retried(); setInterval(() => undefined, 1000); report('ready');`,
      onReport: (_value, app) => app.kill('SIGTERM'),
    });
    expect([signal, paths()]).toEqual(['SIGTERM', SENT]);
  });

  it('is sent on SIGTERM while the app that listens for it takes its time, and ends as it likes', async () => {
    const { code, reported } = await runApp({
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint },
      main: `${RETRIED}
        const heard = new Promise(resolve => process.once('SIGTERM', resolve));
        process.once('SIGUSR2', async () => { await heard; report('done'); process.exit(7); });
        await retried(); setInterval(() => undefined, 1000); report('ready');`,
      onReport: async (value, app) => {
        if (value !== 'ready') return;
        app.kill('SIGTERM');
        // The app takes its time until everything has come, or will never come.
        await until(() => collector.received.length >= SENT.length && isCounted()).catch(() => undefined);
        app.kill('SIGUSR2');
      },
    });
    expect([code, reported, paths()]).toEqual([7, ['ready', 'done'], SENT]);
    expect(isCounted()).toBe(true);
  });

  it('does not hold up the end of a process for long when nobody takes it', async () => {
    const startedAt = performance.now();
    const port = await freePort();
    const { code, signal } = await runApp({
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_EXPORTER_OTLP_TIMEOUT: '60000' },
      main: `${RETRIED}await retried(); process.exitCode = 3;`,
    });
    expect([code, signal]).toEqual([3, null]);
    expect(performance.now() - startedAt).toBeLessThan(30_000);
  });
});
