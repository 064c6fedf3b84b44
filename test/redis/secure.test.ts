import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisBudget } from '../../src/limits/redis/index.ts';
import { connect, PACKAGES } from './support/clients.ts';
import { describeWithRedis } from './support/needs-redis.ts';
import { freePort, type OwnRedis, startRedis } from './support/redis-server.ts';
import { until } from './support/until.ts';

jest.setTimeout(60_000);

describeWithRedis('TLS', () => {
  let folder: string;
  let redis: OwnRedis;
  let port: number;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'redis-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key, '-out', cert];
    execFileSync('openssl', [...request, ...subject], { stdio: 'ignore' });
    redis = await startRedis('--tls-cert-file', cert, '--tls-key-file', key, '--tls-auth-clients', 'no');
    // The server refuses a port that somebody else has taken meanwhile.
    await until(async () => {
      port = await freePort();
      return (await redis.admin.config('SET', 'tls-port', String(port))) === 'OK';
    });
  });
  afterAll(async () => {
    await redis?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(PACKAGES)('the client of %s brings it', async name => {
    const ca = readFileSync(join(folder, 'cert.pem'), 'utf8');
    const client = await connect(name, `rediss://localhost:${port}`, { ca });
    const budget = new RedisBudget({ name: `tls-${name}`, redis: client.redis, capacity: 10 });
    await until(async () => (await budget.tryWithdraw()) === 1 && budget.mode === 'shared');
    budget.close();
    client.end();
  });
});
