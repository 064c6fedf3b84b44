import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Behaviour } from './phases.ts';

/** A dependency that really fails, over a real socket. */
export interface Upstream {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts an HTTP server on the loopback interface that asks `behave` what to do with each request. */
export async function startUpstream(behave: (path: string) => Behaviour, random: () => number): Promise<Upstream> {
  const server = createServer(async (request, response) => {
    const path = request.url ?? '/';
    const behaviour = behave(path);
    await delay(4 + random() * 30);
    await ACTIONS[behaviour](response, path);
  });
  server.keepAliveTimeout = 30_000;
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => closeServer(server),
  };
}

/** Ends a server and every connection to it. */
export function closeServer(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

const SLOW_MS = 350;

const ACTIONS: Record<Behaviour, (response: ServerResponse, path: string) => void | Promise<void>> = {
  ok: (response, path) => answer(response, 200, { path }),
  slow: async (response, path) => {
    await delay(SLOW_MS);
    answer(response, 200, { path });
  },
  '503': response => answer(response, 503, { error: 'overloaded' }),
  '503 with Retry-After': response => {
    response.setHeader('Retry-After', '1');
    answer(response, 503, { error: 'come back in a second' });
  },
  reset: response => {
    response.socket?.resetAndDestroy();
  },
  // Never answers: the client's own limit has to end it.
  hang: () => undefined,
};

function answer(response: ServerResponse, status: number, body: object): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}
