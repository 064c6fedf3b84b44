import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { context, logs, metrics, trace } from '@opentelemetry/api';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { startTelemetry, type Telemetry, type TelemetryOptions } from '../../instrumentation/setup/index.ts';
import { faultCounts, retry } from '../../src/index.ts';
import { parseExposition } from '../support/exposition.ts';

const running: Telemetry[] = [];
const start: typeof startTelemetry = options => {
  const telemetry = startTelemetry(options);
  running.push(telemetry);
  return telemetry;
};
afterEach(async () => {
  await Promise.all(running.splice(0).map(telemetry => telemetry.shutdown()));
  trace.disable();
  metrics.disable();
  logs.disable();
  context.disable();
});

const taken = (): Promise<Server> =>
  new Promise(resolve => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => resolve(server));
  });

// Processes are started here, on machines that may be busy.
jest.setTimeout(60_000);

describe('startTelemetry', () => {
  it('serves /metrics on a port of its own, and gives spans, with nothing but the import', async () => {
    const exporter = new InMemorySpanExporter();
    const telemetry = start({
      serviceName: 'shop',
      prometheus: { port: 0 },
      spanProcessors: [new SimpleSpanProcessor({ exporter })],
    });
    const address = String(await telemetry.ready);
    expect(address).toMatch(/^http:\/\/localhost:\d+\/metrics$/);
    await retry(() => 1, { operation: 'checkout' });
    const { types, samples } = parseExposition(await (await fetch(address)).text());
    expect(samples['retry_calls_total{operation="checkout",outcome="success"}']).toBe(1);
    expect(types.retry_call_duration_seconds).toBe('histogram');
    const [target] = Object.keys(samples).filter(series => series.startsWith('target_info'));
    expect(target).toContain('service_name="shop"');
    expect(target).not.toMatch(/process|host|owner|command/);
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['attempt checkout', 'retry checkout']);
    const { attributes } = exporter.getFinishedSpans()[0]?.resource ?? {};
    expect(attributes).toMatchObject({ 'service.name': 'shop' });
    expect(Object.keys(attributes ?? {}).filter(key => /process|host|owner/.test(key))).toEqual([]);
    expect((await fetch(address.replace('/metrics', '/other'))).status).toBe(404);
  });

  it('keeps what other detectors find out of /metrics', async () => {
    process.env.OTEL_NODE_RESOURCE_DETECTORS = 'all';
    try {
      const telemetry = start({ prometheus: { port: 0 } });
      const text = await (await fetch(String(await telemetry.ready))).text();
      expect(text).toContain('retryscope_info');
      expect(text).not.toContain('target_info');
    } finally {
      delete process.env.OTEL_NODE_RESOURCE_DETECTORS;
    }
  });

  it('listens on the loopback interface unless told otherwise', async () => {
    const telemetry = start({ prometheus: { port: 0 } });
    const { port } = new URL(String(await telemetry.ready));
    const other = Object.values((await import('node:os')).networkInterfaces())
      .flat()
      .find(address => address?.internal === false && address.family === 'IPv4');
    if (other !== undefined)
      await expect(fetch(`http://${other.address}:${port}/metrics`)).rejects.toThrow('fetch failed');
    expect(port).not.toBe('');
  });

  it('takes host and port from the standard variables', async () => {
    const free = await taken();
    const { port } = free.address() as AddressInfo;
    await new Promise(resolve => free.close(resolve));
    process.env.OTEL_EXPORTER_PROMETHEUS_HOST = '127.0.0.1';
    process.env.OTEL_EXPORTER_PROMETHEUS_PORT = String(port);
    try {
      expect(await start().ready).toBe(`http://127.0.0.1:${port}/metrics`);
    } finally {
      delete process.env.OTEL_EXPORTER_PROMETHEUS_HOST;
      delete process.env.OTEL_EXPORTER_PROMETHEUS_PORT;
    }
  });

  it('reports a port that is taken, and lets the service go on', async () => {
    const server = await taken();
    const { port } = server.address() as AddressInfo;
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const telemetry = start({ prometheus: { host: '127.0.0.1', port } });
    await expect(telemetry.ready).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(warn).toHaveBeenCalledWith(
      `/metrics cannot be served on 127.0.0.1:${port} (EADDRINUSE); the service goes on without it`,
      expect.objectContaining({ code: 'RETRYSCOPE_METRICS_PORT' }),
    );
    warn.mockRestore();
    await expect(retry(() => 5)).resolves.toBe(5);
    server.close();
  });

  it('gives a handler to mount in a server of one’s own', async () => {
    const telemetry = start({ prometheus: 'mount' });
    expect(await telemetry.ready).toBeUndefined();
    const server = createServer(telemetry.metricsHandler);
    await new Promise<void>(resolve => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    expect(parseExposition(await response.text()).samples['retryscope_info{version="0.1.0"}']).toBe(1);
    server.closeAllConnections();
    server.close();
  });

  it('sends spans to the collector that the environment names, and to none by default', async () => {
    const received: string[] = [];
    const collector = createServer((request, response) => {
      received.push(String(request.url));
      request.resume().on('end', () => response.end());
    });
    await new Promise<void>(resolve => {
      collector.listen(0, '127.0.0.1', resolve);
    });
    const script = `
      import { trace } from '@opentelemetry/api';
      import { retry } from './src/index.ts';
      import { startTelemetry } from './instrumentation/setup/index.ts';
      const telemetry = startTelemetry({ prometheus: 'mount' });
      await retry(() => 1);
      await telemetry.shutdown();
      console.log(trace.getTracer('x').startSpan('y').isRecording());`;
    const run = (endpoint: Record<string, string>): Promise<string> =>
      new Promise((resolve, reject) => {
        const env = { ...process.env, ...endpoint };
        execFile('node_modules/.bin/node', ['--input-type=module', '-e', script], { env }, (error, stdout) =>
          error === null ? resolve(stdout.trim()) : reject(error),
        );
      });
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    await run({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    expect(received).toEqual(['/v1/traces']);
    expect(await run({})).toBe('false');
    expect(received).toEqual(['/v1/traces']);
    // What OTEL_TRACES_EXPORTER names goes before the endpoint.
    expect(await run({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_EXPORTER: 'none' })).toBe('false');
    expect(await run({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_EXPORTER: 'console' })).toContain(
      "name: 'retry anonymous'",
    );
    expect(received).toEqual(['/v1/traces']);
    // Metrics are sent where they are asked for: whoever scrapes them would have them twice.
    await run({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'otlp' });
    await run({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${endpoint}/own`, OTEL_METRICS_EXPORTER: '' });
    expect(received).toEqual(['/v1/traces', '/v1/metrics', '/own']);
    expect(await run({ OTEL_METRICS_EXPORTER: 'console' })).toContain("name: 'retry.calls'");
    collector.closeAllConnections();
    collector.close();
  });

  describe('where the environment does not ask for log records', () => {
    const exporter = new InMemoryLogRecordExporter();
    const provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] });
    const said = (): unknown => exporter.getFinishedLogRecords().map(({ body }) => body);
    beforeEach(() => exporter.reset());

    it('leaves them to a provider that is registered later, also those of loggers from before', () => {
      const logger = logs.getLogger('app');
      start({ prometheus: 'mount' });
      expect(logs.setGlobalLoggerProvider(provider)).toBe(true);
      logger.emit({ body: 'by the logger from before' });
      logs.getLogger('app').emit({ body: 'by a later one' });
      expect(said()).toEqual(['by the logger from before', 'by a later one']);
    });

    it('leaves them to a provider that was registered before', () => {
      logs.setGlobalLoggerProvider(provider);
      start({ prometheus: 'mount' });
      expect(logs.getLoggerProvider()).toBe(provider);
    });

    it.each([undefined, '', ' '])('leaves OTEL_LOGS_EXPORTER as it is, here %j', given => {
      if (given !== undefined) process.env.OTEL_LOGS_EXPORTER = given;
      try {
        start({ prometheus: 'mount' });
        expect(process.env.OTEL_LOGS_EXPORTER).toBe(given);
        expect(logs.setGlobalLoggerProvider(provider)).toBe(true);
      } finally {
        delete process.env.OTEL_LOGS_EXPORTER;
      }
    });
  });

  it('takes none for a collector of spans', () => {
    process.env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = 'http://127.0.0.1:1/v1/traces';
    try {
      start({ prometheus: 'mount' });
      expect(logs.setGlobalLoggerProvider(new LoggerProvider())).toBe(true);
    } finally {
      delete process.env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
    }
  });

  it.each([
    { OTEL_LOGS_EXPORTER: 'console' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' },
    { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://127.0.0.1:1/v1/logs' },
  ])('takes log records where the environment asks for them: %j', env => {
    Object.assign(process.env, env);
    try {
      start({ prometheus: 'mount' });
      expect(logs.setGlobalLoggerProvider(new LoggerProvider())).toBe(false);
    } finally {
      for (const name of Object.keys(env)) delete process.env[name];
    }
  });

  it('leaves no server open when it is shut down before the server listens', async () => {
    const telemetry = startTelemetry({ prometheus: { port: 0 } });
    await telemetry.shutdown();
    await expect(fetch(String(await telemetry.ready))).rejects.toThrow('fetch failed');
  });

  it('shuts down within its limit and never rejects, whatever the exporter does', async () => {
    const processor = {
      onStart: () => undefined,
      onEnd: () => undefined,
      forceFlush: () => new Promise<void>(() => undefined),
      shutdown: () => new Promise<void>(() => undefined),
    };
    const telemetry = startTelemetry({ prometheus: { port: 0 }, spanProcessors: [processor], shutdownTimeout: 50 });
    await telemetry.ready;
    const started = performance.now();
    await telemetry.shutdown();
    expect(performance.now() - started).toBeLessThan(5000);
    await telemetry.shutdown();
    trace.disable();
    metrics.disable();
    const rejecting = startTelemetry({
      prometheus: 'mount',
      spanProcessors: [{ ...processor, shutdown: () => Promise.reject(new Error('unreachable')) }],
    });
    await expect(rejecting.shutdown()).resolves.toBeUndefined();
  });

  it.each([
    [{ prometheus: { port: 70_000 } }, 'port is 70000; it must be an integer from 0 to 65535'],
    [{ prometheus: { port: 1.5 } }, 'port is 1.5'],
    [{ shutdownTimeout: -1 }, 'shutdownTimeout is -1'],
  ])('refuses %j', (options, message) => {
    expect(() => startTelemetry(options)).toThrow(RangeError);
    expect(() => startTelemetry(options)).toThrow(message);
  });

  it.each<[unknown, string]>([
    [5, 'the options of startTelemetry are 5; they must be an object of options'],
    [{ serviceNam: 'x' }, '"serviceNam" is not an option; did you mean "serviceName"?'],
    [{ serviceName: 5 }, 'serviceName is 5'],
    [{ prometheus: 'mnt' }, 'prometheus is "mnt"; it must be { host, port } or \'mount\''],
    [{ prometheus: null }, 'prometheus is null'],
    [{ prometheus: { prot: 9464 } }, '"prot" is not an option; did you mean "port"?'],
    [{ prometheus: { port: '' } }, 'port is ""; it must be an integer from 0 to 65535'],
    [{ prometheus: { port: [0] } }, 'port is a list of 1'],
    [{ prometheus: { port: 0, host: 5 } }, 'host is 5; it must be the name or address of a host'],
    [{ logger: 5, prometheus: { port: 0 } }, 'logger is 5'],
    [{ logger: {}, prometheus: { port: 0 } }, 'logger'],
    [{ spanProcessors: [{}] }, 'spanProcessors[0] is an object; it must be a SpanProcessor'],
    [{ metricReaders: {} }, 'metricReaders is an object; it must be a list of metric readers'],
    [{ instrumentations: 'http' }, 'instrumentations is "http"'],
  ])('refuses %j before anything is started', (options, message) => {
    const listeners = process.getActiveResourcesInfo().filter(name => name === 'TCPServerWrap').length;
    expect(() => startTelemetry(options as TelemetryOptions)).toThrow(TypeError);
    expect(() => startTelemetry(options as TelemetryOptions)).toThrow(message);
    expect(process.getActiveResourcesInfo().filter(name => name === 'TCPServerWrap')).toHaveLength(listeners);
    expect(trace.getTracer('x').startSpan('y').isRecording()).toBe(false);
  });

  it('counts what its exporters do not get rid of', async () => {
    const collector = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(400).end());
    });
    await new Promise<void>(resolve => {
      collector.listen(0, '127.0.0.1', resolve);
    });
    const before = faultCounts().get('exporter') ?? 0;
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    process.env.OTEL_METRICS_EXPORTER = 'otlp';
    try {
      const telemetry = start({ prometheus: 'mount' });
      await retry(() => 1);
      await telemetry.shutdown();
      expect(faultCounts().get('exporter')).toBeGreaterThanOrEqual(before + 2);
    } finally {
      delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
      delete process.env.OTEL_METRICS_EXPORTER;
      collector.closeAllConnections();
      collector.close();
    }
  });

  it('names the variable that holds no port', () => {
    process.env.OTEL_EXPORTER_PROMETHEUS_PORT = 'abc';
    try {
      expect(() => startTelemetry()).toThrow('OTEL_EXPORTER_PROMETHEUS_PORT is abc; it must be an integer');
    } finally {
      delete process.env.OTEL_EXPORTER_PROMETHEUS_PORT;
    }
  });
});
