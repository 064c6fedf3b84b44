import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { trace } from '@opentelemetry/api';
import type { Note, Subject } from '../support/scenario.ts';

interface Redis {
  connect(): Promise<void>;
  ping(): Promise<string>;
  disconnect(): void;
  on(event: string, listener: (first?: unknown) => void): Redis;
  once(event: string, listener: () => void): Redis;
  readonly status: string;
}

type RedisClass = new (options: Record<string, unknown>) => Redis;

interface Loaded {
  readonly Redis: RedisClass;
  readonly server: FakeRedis;
}

/** Speaks as much of Redis as a client needs to become ready; cuts its first connections on demand. */
interface FakeRedis {
  readonly port: number;
  cut(times: number): void;
  drop(): void;
}

async function startFakeRedis(): Promise<FakeRedis> {
  let left = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer(socket => {
    if (left-- > 0) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    socket.on('data', data => {
      for (const command of String(data)
        .toUpperCase()
        .match(/\r\n(PING|INFO|CLIENT|HELLO|SELECT)\r\n/g) ?? []) {
        socket.write(answerTo(command.trim()));
      }
    });
  });
  server.unref();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cut: times => {
      left = times;
    },
    drop: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function answerTo(command: string): string {
  if (command === 'PING') return '+PONG\r\n';
  if (command === 'HELLO') return '-ERR unknown command HELLO\r\n';
  if (command === 'INFO') return '$9\r\nloading:0\r\n';
  return '+OK\r\n';
}

const EVENTS = ['connecting', 'connect', 'ready', 'error', 'close', 'reconnecting', 'end'];

function clientOf({ Redis, server }: Loaded, note: Note, options: Record<string, unknown> = {}): Redis {
  const client = new Redis({
    port: server.port,
    host: '127.0.0.1',
    lazyConnect: true,
    protocol: 2,
    retryStrategy: (times: number) => times * 4,
    ...options,
  });
  for (const event of EVENTS) client.on(event, first => note(event, first instanceof Error ? 'error' : first));
  return client;
}

async function ended(client: Redis): Promise<void> {
  // One that waits for its next try tells nobody of its end.
  const isWaiting = client.status === 'reconnecting';
  const end = new Promise<void>(resolve => client.once('end', resolve));
  client.disconnect();
  await (isWaiting ? new Promise(resolve => setTimeout(resolve, 50)) : end);
}

const ready = (client: Redis): Promise<void> => new Promise(resolve => client.once('ready', resolve));

export const subject: Subject<Loaded> = {
  load: async ({ load }) => {
    const exports = (await load('ioredis')) as RedisClass & { readonly default: RedisClass };
    return { Redis: exports.default, server: await startFakeRedis() };
  },
  scenarios: {
    shape: ({ Redis }, note) => {
      const { connect, setStatus, silentEmit } = Redis.prototype as Record<string, unknown>;
      note('methods', connect, setStatus, silentEmit, Object.keys(Redis.prototype).length);
    },
    'connects at once': async (loaded, note) => {
      const client = clientOf(loaded, note);
      await client.connect();
      note('ping', await client.ping());
      await ended(client);
    },
    'connects after retries': async (loaded, note) => {
      loaded.server.cut(2);
      const client = clientOf(loaded, note);
      const span = trace.getTracer('user').startSpan('never active');
      const isReady = ready(client);
      client.connect().catch(() => undefined);
      await isReady;
      span.end();
      note('ping', await client.ping());
      await ended(client);
    },
    'loses its connection': async (loaded, note) => {
      const client = clientOf(loaded, note);
      await client.connect();
      loaded.server.cut(1);
      const isReady = ready(client);
      loaded.server.drop();
      await isReady;
      await ended(client);
    },
    'gives up': async (loaded, note) => {
      loaded.server.cut(9);
      const client = clientOf(loaded, note, { retryStrategy: (times: number) => (times > 2 ? null : 2) });
      const end = new Promise<void>(resolve => client.once('end', resolve));
      client.connect().catch(() => undefined);
      note('ping', await client.ping().catch((error: Error) => error.name));
      await end;
      loaded.server.cut(0);
    },
    'is disconnected while it waits': async (loaded, note) => {
      loaded.server.cut(1);
      const client = clientOf(loaded, note, { retryStrategy: () => 500 });
      const waits = new Promise<void>(resolve => client.once('reconnecting', resolve));
      client.connect().catch(() => undefined);
      await waits;
      await ended(client);
    },
    'does not reconnect': async (loaded, note) => {
      loaded.server.cut(1);
      const client = clientOf(loaded, note, { retryStrategy: null });
      const end = new Promise<void>(resolve => client.once('end', resolve));
      note('connect', await client.connect().catch((error: Error) => error.message));
      await end;
    },
    'gives up on a command': async (loaded, note) => {
      loaded.server.cut(9);
      const client = clientOf(loaded, note, { maxRetriesPerRequest: 1 });
      note('ping', await client.ping().catch((error: Error) => error.name));
      await ended(client);
      loaded.server.cut(0);
    },
    'connects twice': async (loaded, note) => {
      const client = clientOf(loaded, note);
      const first = client.connect();
      note('second', await client.connect().catch((error: Error) => error.message));
      await first;
      await ended(client);
    },
  },
};
