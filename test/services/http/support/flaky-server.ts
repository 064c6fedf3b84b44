import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a server gives to one request: an answer, or whatever a function does. */
export type Reply =
  | { readonly status: number; readonly headers?: Record<string, string | string[]>; readonly body?: string | Buffer }
  | ((request: IncomingMessage, response: ServerResponse) => void);

/** A request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  body: string;
}

/** A server on a free port that answers by a list. */
export interface FlakyServer {
  readonly origin: string;
  readonly port: number;
  /** Every request so far. */
  readonly seen: SeenRequest[];
  /** Connections that were opened so far. */
  readonly connections: number;
  /** What the next requests get, in order; then `otherwise`. */
  replies: Reply[];
  otherwise: Reply;
  /** Forgets what was seen and set. */
  reset(): void;
  end(): Promise<void>;
}

export const OK: Reply = { status: 200, body: 'fine' };

/** Ends the connection without an answer. */
export const BREAK: Reply = request => {
  request.socket.resetAndDestroy();
};

/** Starts a server on 127.0.0.1. */
export async function startFlakyServer(): Promise<FlakyServer> {
  const seen: SeenRequest[] = [];
  let connections = 0;
  const http = createServer((request, response) => {
    const record: SeenRequest = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: '',
    };
    seen.push(record);
    request.on('error', () => undefined);
    request.on('data', data => {
      record.body += String(data);
    });
    request.on('end', () => give(server.replies.shift() ?? server.otherwise, request, response));
  });
  http.on('connection', () => {
    connections++;
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const server: FlakyServer = {
    port,
    origin: `http://127.0.0.1:${port}`,
    seen,
    get connections() {
      return connections;
    },
    replies: [],
    otherwise: OK,
    reset: () => {
      seen.length = 0;
      connections = 0;
      server.replies = [];
      server.otherwise = OK;
    },
    end: async () => {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
  return server;
}

function give(reply: Reply, request: IncomingMessage, response: ServerResponse): void {
  if (typeof reply === 'function') {
    reply(request, response);
    return;
  }
  const { status, headers = {}, body = '' } = reply;
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers });
  response.end(body);
}
