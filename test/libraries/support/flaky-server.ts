import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server on a free port that answers the first requests with errors. */
export interface FlakyServer {
  readonly url: string;
  readonly host: string;
  /** Starts anew: the next `times` requests fail. */
  fail(times: number, how?: Failure): void;
  /** Resolves when it has answered the next request. */
  answered(): Promise<void>;
}

/** How a request fails: an HTTP status, or a connection that is cut. */
export interface Failure {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cut?: 'before' | 'within';
}

/** Started once; it does not hold the process. */
export async function startFlakyServer(body: string, type = 'application/json'): Promise<FlakyServer> {
  let left = 0;
  let failure: Failure = {};
  let told = Promise.withResolvers<void>();
  const server: Server = createServer((request, response) => {
    request.resume();
    response.once('finish', () => {
      told.resolve();
      told = Promise.withResolvers();
    });
    if (left-- <= 0) {
      response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
    } else if (failure.cut === 'before') {
      request.socket.destroy();
    } else if (failure.cut === 'within') {
      response.writeHead(200, { 'content-type': type, etag: '"1"', 'content-length': Buffer.byteLength(body) });
      response.write(body.slice(0, 3));
      setTimeout(() => request.socket.destroy(), 10);
    } else {
      response.writeHead(failure.status ?? 503, failure.headers).end('{"error":"not now"}');
    }
  });
  server.unref();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${host}/path?token=planted-secret`,
    fail: (times, how = {}) => {
      left = times;
      failure = how;
    },
    answered: () => told.promise,
  };
}
