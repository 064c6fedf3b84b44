import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { reportFault } from '../../src/engine/faults.ts';

/** Where a server listens. */
export interface PrometheusAddress {
  /** Default `OTEL_EXPORTER_PROMETHEUS_HOST`, else `localhost`. In a container it has to be `0.0.0.0`. */
  readonly host?: string;
  /** Default `OTEL_EXPORTER_PROMETHEUS_PORT`, else 9464. 0 takes a free one. */
  readonly port?: number;
}

/** The server of `/metrics`. */
export interface MetricsServer {
  /** The address of `/metrics` once it listens; rejects when it cannot. */
  readonly ready: Promise<string>;
  close(): Promise<void>;
}

/**
 * Serves `handler` at `/metrics`. The exporter's own server says nothing when its port is taken, and cannot take a
 * free one; this one can do both. It does not keep the process alive.
 *
 * @throws RangeError when the port is no port
 */
export function openMetricsServer(
  address: PrometheusAddress,
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): MetricsServer {
  const host = address.host ?? (process.env.OTEL_EXPORTER_PROMETHEUS_HOST || 'localhost');
  const given = address.port ?? (process.env.OTEL_EXPORTER_PROMETHEUS_PORT || 9464);
  const port = Number(given);
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    const name = address.port === undefined ? 'OTEL_EXPORTER_PROMETHEUS_PORT' : 'port';
    throw new RangeError(`${name} is ${given}; it must be an integer from 0 to 65535`);
  }
  const server = createServer((request, response) => {
    if (request.url?.split('?', 1)[0] === '/metrics') return handler(request, response);
    response.statusCode = 404;
    response.end();
  });
  server.unref();
  // Its connections neither: one that a scraper keeps open would hold up the end of the process by up to a minute.
  server.on('connection', socket => socket.unref());
  const ready = new Promise<string>((resolve, reject) => {
    server.on('error', error => {
      // Later ones, such as a process that has run out of file handles, are no reason to bring a service down either.
      if (server.listening) return reportFault('exporter', error);
      const taken = `/metrics cannot be served on ${host}:${port} (${(error as NodeJS.ErrnoException).code}); the service goes on without it`;
      process.emitWarning(taken, { type: 'RetryscopeWarning', code: 'RETRYSCOPE_METRICS_PORT' });
      reject(error);
    });
    server.listen(port, host, () =>
      resolve(`http://${shownHost(host)}:${(server.address() as AddressInfo).port}/metrics`),
    );
  });
  // The warning has been given: whoever does not ask for `ready` is not to be stopped by it.
  ready.catch(() => undefined);
  return {
    ready,
    close: async () => {
      // A server that is still looking up its host would open after it was closed.
      await ready.catch(() => undefined);
      await new Promise<void>(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** An address to open in a browser: one that means "all interfaces" is none. */
function shownHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
