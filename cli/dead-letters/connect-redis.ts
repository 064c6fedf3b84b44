import type { Ioredis, NodeRedis } from 'retryscope/dead-letters/redis';
import { loadClientLibrary } from './client-library.ts';

/** How long a server may take to be there, in milliseconds. */
export const CONNECT_MS = 10_000;

/** A connection to Redis, by the client that the user's project has. */
export interface RedisConnection {
  readonly redis: Ioredis | NodeRedis;
  end(): Promise<void>;
}

/**
 * Connects by ioredis or node-redis, and rejects at once when the server is not there. Later on, a connection that breaks is
 * tried again for some seconds.
 */
export async function connectRedis(url: string): Promise<RedisConnection> {
  const { name, library } = loadClientLibrary('redis', ['ioredis', 'redis']);
  return name === 'ioredis' ? byIoredis(library as IoredisLibrary, url) : byNodeRedis(library as NodeRedisLibrary, url);
}

async function byIoredis({ Redis }: IoredisLibrary, url: string): Promise<RedisConnection> {
  const options = { lazyConnect: true, connectTimeout: CONNECT_MS, maxRetriesPerRequest: TRIES, retryStrategy: pause };
  const redis = new Redis(url, options);
  const connection = { redis, end: async () => redis.disconnect() };
  await connected(redis, connection, () => redis.connect());
  return connection;
}

async function byNodeRedis({ createClient }: NodeRedisLibrary, url: string): Promise<RedisConnection> {
  let isConnected = false;
  const reconnectStrategy = (tries: number): number | false => (isConnected ? (pause(tries) ?? false) : false);
  const redis = createClient({ url, socket: { connectTimeout: CONNECT_MS, reconnectStrategy } });
  const connection = { redis, end: async () => redis.destroy() };
  await connected(redis, connection, () => redis.connect());
  isConnected = true;
  return connection;
}

/** What the client rejects with is often that the connection is closed; why it is comes as an event. */
async function connected(
  client: EventSource,
  connection: RedisConnection,
  connect: () => Promise<unknown>,
): Promise<void> {
  let reason: unknown;
  client.on('error', error => {
    reason ??= error;
  });
  try {
    await connect();
  } catch (error) {
    await connection.end().catch(() => undefined);
    throw reason ?? error;
  }
}

function pause(tries: number): number | null {
  return tries > TRIES ? null : PAUSE_MS * tries;
}

interface EventSource {
  on(event: 'error', listener: (error: unknown) => void): unknown;
}

interface IoredisLibrary {
  readonly Redis: new (
    url: string,
    options: object,
  ) => Ioredis & EventSource & { connect(): Promise<unknown>; disconnect(): void };
}

interface NodeRedisLibrary {
  createClient(options: object): NodeRedis & EventSource & { connect(): Promise<unknown>; destroy(): void };
}

const TRIES = 5;
const PAUSE_MS = 200;
