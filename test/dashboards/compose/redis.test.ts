import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWithRedis } from '../../redis/support/needs-redis.ts';
import { freePort } from '../../support/free-port.ts';
import { mountedAt, mountsOf, read, serviceNamed } from './stack.ts';
import { PATIENCE_MS, until, whileRunning } from './tools.ts';

const redis = serviceNamed('redis');
const PASSWORD = '0123456789abcdef';

// Redis stands in for Valkey, which reads the same configuration.
describeWithRedis('the start of redis and its health check', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'compose-redis-'));
    mkdirSync(join(folder, 'bin'));
    mkdirSync(join(folder, 'data'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it(
    'take the password from the environment, and nobody without it',
    async () => {
      const port = await freePort();
      linkPrograms(join(folder, 'bin'));
      const [shell = '', options = '', script = ''] = redis.entrypoint ?? [];
      const [, file = ''] = /exec valkey-server (\S+)/.exec(script) ?? [];
      const here = inContainer(script)
        .replace(file, join(folder, 'redis.conf'))
        .replace('\nEOF', `\nport ${port}\nbind 127.0.0.1\nEOF`);
      const [data] = mountsOf(redis).filter(({ source }) => source === 'redis-data');
      writeFileSync(
        join(folder, 'redis.conf'),
        read(mountedAt(redis, file)).replace(`dir ${data?.target}`, `dir ${join(folder, 'data')}`),
      );
      const env = (password: string): NodeJS.ProcessEnv => ({
        PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
        REDIS_PASSWORD: password,
      });
      const check = (password: string): number | null => {
        const [kind, test = ''] = redis.healthcheck?.test ?? [];
        expect(kind).toBe('CMD-SHELL');
        const ask = inContainer(test)
          .replace('VALKEYCLI_AUTH', 'REDISCLI_AUTH')
          .replace('valkey-cli', `valkey-cli -p ${port}`);
        return spawnSync('sh', ['-c', ask], { env: env(password) }).status;
      };

      expect(check(PASSWORD)).not.toBe(0);
      await whileRunning(shell, [options, here], { cwd: folder, env: env(PASSWORD) }, async server => {
        await until('a healthy server', () => (check(PASSWORD) === 0 ? true : undefined));
        expect(check('wrong')).not.toBe(0);
        expect(check('')).not.toBe(0);
        // The shell has made room for the server, which hears when it is told to stop, and shows no password.
        const args = spawnSync('ps', ['-o', 'args=', '-p', String(server.pid)], { encoding: 'utf8' }).stdout;
        expect(args).toContain('-server');
        expect(args).not.toContain(PASSWORD);
        server.kill('SIGTERM');
        await until('the end', () => server.exitCode ?? undefined);
        expect(server.exitCode).toBe(0);
      });
    },
    PATIENCE_MS,
  );
});

/** What a container gets: Compose makes one dollar sign of two. */
function inContainer(text: string): string {
  return text.replaceAll('$$', () => '$');
}

/** Gives the programs of Redis the names that those of Valkey have. */
function linkPrograms(folder: string): void {
  for (const program of ['server', 'cli']) {
    const path = spawnSync('sh', ['-c', `command -v redis-${program}`], { encoding: 'utf8' }).stdout.trim();
    symlinkSync(path, join(folder, `valkey-${program}`));
  }
}
