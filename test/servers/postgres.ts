import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Client, type ClientConfig } from 'pg';
import { until } from '../redis/support/until.ts';
import { freePort } from '../support/free-port.ts';

/** A PostgreSQL of our own, to be stopped and started again. Everybody on this machine may come in. */
export interface OwnPostgres {
  readonly port: number;
  readonly url: string;
  /** For clients and pools of pg. */
  readonly config: ClientConfig;
  /** Runs a statement on a connection of its own, for the test itself; gives the rows. */
  ask<R = Record<string, unknown>>(statement: string, values?: unknown[]): Promise<R[]>;
  /** Starts it again after `stop`; resolves when it takes connections. */
  start(): Promise<void>;
  /**
   * Ends it: `'fast'` rolls back what runs and tells the clients (57P01), `'smart'` refuses new ones (57P03) and waits
   * until the others have left, and after `'crash'` it recovers at the next start.
   */
  stop(how?: keyof typeof STOPS): Promise<void>;
  /** Ends it for good. */
  end(): Promise<void>;
}

/** Whether PostgreSQL is here. */
export const hasPostgres = (): boolean => programs !== undefined;

/** Where its programs are: Debian keeps them out of the PATH. */
const programs: string | undefined = [
  ...globSync('/usr/lib/postgresql/*/bin').sort().reverse(),
  ...(process.env.PATH ?? '').split(delimiter),
].find(folder => globSync(join(folder, 'initdb')).length > 0);

/** Starts a server on a free port of this machine, in a folder of its own; `settings` are those of `postgresql.conf`. */
export async function startPostgres(settings: Readonly<Record<string, string | number>> = {}): Promise<OwnPostgres> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'postgres-test-'));
  const owner = ownerOf(folder);
  execFileSync(program('initdb'), ['-D', folder, '-A', 'trust', '-U', 'tester', '--no-sync'], {
    ...owner,
    stdio: 'ignore',
  });
  const all = { ...SETTINGS, ...settings, port };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const config = { host: '127.0.0.1', port, user: 'tester', database: 'postgres' };
  let child: ChildProcess | undefined;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise(resolve => running.once('exit', resolve));
    running.kill(signal);
    await gone;
  };
  const ask = async <R>(statement: string, values: unknown[] = []): Promise<R[]> => {
    const client = new Client(config);
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query(statement, values)).rows as R[];
    } finally {
      await client.end();
    }
  };
  const start = async (): Promise<void> => {
    child = spawn(program('postgres'), ['-D', folder, ...flags], { ...owner, stdio: 'ignore' });
    await until(async () => (await ask('SELECT 1')).length === 1, 30_000);
  };
  await start();
  return {
    port,
    url: `postgres://tester@127.0.0.1:${port}/postgres`,
    config,
    ask,
    start,
    stop: (how = 'fast') => stop(STOPS[how]),
    end: async () => {
      await stop(STOPS.crash);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const STOPS = { fast: 'SIGINT', smart: 'SIGTERM', crash: 'SIGQUIT' } as const;

/** Small, quick, and with nothing but its port to be reached by. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '16MB',
  fsync: 'off',
  deadlock_timeout: '50ms',
};

function program(name: string): string {
  return join(programs ?? '', name);
}

/** PostgreSQL refuses to run as root; its package brings a user for it. */
function ownerOf(folder: string): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const [uid = 0, gid = 0] = ['-u', '-g'].map(flag =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' })),
  );
  chownSync(folder, uid, gid);
  return { uid, gid };
}
