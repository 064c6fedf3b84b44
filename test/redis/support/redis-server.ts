import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { until } from './until.ts';

/** A redis-server of our own, to be stopped, killed and filled up. */
export interface OwnRedis {
  readonly port: number;
  readonly url: string;
  readonly folder: string;
  /** A client for the test itself, not for what is tested. */
  readonly admin: Redis;
  /** Hangs it: connections stay open, and nothing answers. */
  hang(): Promise<void>;
  /** Lets it go on after a hang. */
  goOn(): void;
  /** Ends it at once, as kill -9 does. */
  kill(): Promise<void>;
  /** Starts it again on the same port after a kill. */
  restart(): Promise<void>;
  /** Ends it for good. */
  end(): Promise<void>;
}

/** Whether redis-server is here. */
export const hasRedisServer: boolean = canRun('redis-server');

function canRun(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Starts a server without persistence on a free port of this machine, in a folder of its own. */
export async function startRedis(...settings: readonly string[]): Promise<OwnRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-test-'));
  const { port, admin, child: first } = await launchSomewhere(folder, settings);
  let child = first;
  const kill = (): Promise<void> => killed(child);
  return {
    port,
    folder,
    admin,
    url: `redis://127.0.0.1:${port}`,
    hang: async () => {
      child.kill('SIGSTOP');
      // The signal takes a moment to arrive.
      const silence = async (): Promise<boolean> => {
        const pause = new Promise<'silence'>(resolve => setTimeout(resolve, 20, 'silence'));
        return (await Promise.race([admin.ping(), pause])) === 'silence';
      };
      await until(silence);
    },
    goOn: () => {
      child.kill('SIGCONT');
    },
    kill,
    restart: async () => {
      mendLog(folder);
      // Its port was free, and somebody else may have it for a moment.
      await until(() => {
        child = launch(port, folder, settings);
        return isServing(child, admin);
      });
    },
    end: async () => {
      admin.disconnect();
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Launched {
  readonly port: number;
  readonly admin: Redis;
  readonly child: ChildProcess;
}

/** On a free port; on another one where somebody else has taken it between the look and the start. */
async function launchSomewhere(folder: string, settings: readonly string[]): Promise<Launched> {
  for (let tries = 0; tries < 10; tries++) {
    const port = await freePort();
    const admin = adminOf(port);
    const child = launch(port, folder, settings);
    if (await isServing(child, admin)) return { port, admin, child };
    admin.disconnect();
    await killed(child);
  }
  rmSync(folder, { recursive: true, force: true });
  throw new Error(`redis-server does not start with ${settings.join(' ')}`);
}

function adminOf(port: number): Redis {
  const admin = new Redis({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    maxRetriesPerRequest: null,
    disconnectTimeout: 50,
    retryStrategy: () => 20,
  });
  return admin.on('error', () => undefined);
}

/** Resolves with true once this very process answers; with false when it has ended, or another one has its port. */
async function isServing(child: ChildProcess, admin: Redis): Promise<boolean> {
  const isOurs = async (): Promise<boolean> =>
    /^process_id:(\d+)/m.exec(await admin.info('server'))?.[1] === String(child.pid);
  return await Promise.race([isOurs(), ended(child).then(() => false)]);
}

function ended(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise(resolve => child.once('exit', resolve));
}

/**
 * Cuts an unfinished transaction off the log, as `redis-check-aof --fix` does and the server alone does not: where the kill has
 * torn a command inside a transaction, it keeps those before the tear, and runs them with the next transaction at the start
 * after that (Redis 7.0).
 */
function mendLog(folder: string): void {
  const manifest = join(folder, 'appendonlydir/appendonly.aof.manifest');
  if (existsSync(manifest))
    spawnSync('redis-check-aof', ['--fix', manifest], { input: 'y\n', stdio: ['pipe', 'ignore', 'ignore'] });
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await ended(child);
}

function launch(port: number, folder: string, settings: readonly string[]): ChildProcess {
  const base = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  return spawn('redis-server', [...base, ...settings], { stdio: 'ignore' });
}

/** A free port whose sibling 10,000 above is free too: the nodes of a cluster talk there. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 11_000 + Math.floor(Math.random() * 11_000);
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
