import { Cluster, Redis } from 'ioredis';
import { createClient, createCluster } from 'redis';
import type { RedisClient } from '../../../src/limits/redis/index.ts';
import { until } from './until.ts';

/** A connected client of one of the two packages. */
export interface TestClient {
  readonly redis: RedisClient;
  end(): void;
}

export type Package = 'ioredis' | 'node-redis';

/** Both packages. */
export const PACKAGES: readonly Package[] = ['ioredis', 'node-redis'];

/** Connects with the defaults of the package, but for a quick reconnect. */
export async function connect(name: Package, url: string, tls?: { readonly ca: string }): Promise<TestClient> {
  if (name === 'ioredis') {
    const redis = new Redis(url, { retryStrategy: () => 20, ...(tls === undefined ? {} : { tls }) });
    redis.on('error', () => undefined);
    await until(() => redis.status === 'ready');
    return { redis, end: () => redis.disconnect() };
  }
  const socket = { reconnectStrategy: () => 20 };
  const redis = createClient({ url, socket: tls === undefined ? socket : { ...socket, tls: true, ca: tls.ca } });
  redis.on('error', () => undefined);
  await redis.connect();
  return { redis, end: () => redis.destroy() };
}

/** Connects to a cluster, with the defaults of the package. */
export async function connectCluster(name: Package, ports: readonly number[]): Promise<TestClient> {
  if (name === 'ioredis') {
    const redis = new Cluster(ports.map(port => ({ host: '127.0.0.1', port })));
    redis.on('error', () => undefined);
    await until(() => redis.status === 'ready');
    return { redis, end: () => redis.disconnect() };
  }
  const redis = createCluster({ rootNodes: ports.map(port => ({ url: `redis://127.0.0.1:${port}` })) });
  redis.on('error', () => undefined);
  await redis.connect();
  return { redis, end: () => redis.destroy() };
}
