import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type OpenMetricsContentType, Registry } from 'prom-client';
import { registerRetryMetrics } from 'retryscope/prometheus';
import type { Telemetry } from 'retryscope/setup';

/**
 * What answers `/metrics`: the exporter of OpenTelemetry, which knows no exemplars, or a registry of prom-client for a
 * scraper that asks for OpenMetrics. Both read the same numbers.
 */
export function metricsListener(telemetry: Telemetry): RequestListener {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  registerRetryMetrics(registry);
  return async (request, response) => {
    if (request.url?.split('?', 1)[0] !== '/metrics') {
      response.writeHead(404).end();
    } else if (request.headers.accept?.includes('application/openmetrics-text')) {
      response.setHeader('content-type', registry.contentType);
      response.end(await registry.metrics());
    } else {
      telemetry.metricsHandler(request, response);
    }
  };
}

/** Serves `/metrics` on the port, or on a free one where it is taken; gives the server and its address. */
export async function serveMetrics(
  listener: RequestListener,
  port: number,
  onTaken: () => void,
): Promise<{ readonly server: Server; readonly address: string }> {
  const host = process.env.OTEL_EXPORTER_PROMETHEUS_HOST || 'localhost';
  const server = createServer(listener);
  try {
    await listen(server, port, host);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    onTaken();
    await listen(server, 0, host);
  }
  const shown = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return { server, address: `http://${shown}:${(server.address() as AddressInfo).port}/metrics` };
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening');
}
