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
  const folder = mkdtempSync(join(tmpdir(), 'postgres-test-'));
  const owner = ownerOf(folder);
  execFileSync(
    program('initdb'),
    ['-D', folder, '-A', 'trust', '-U', 'tester', '-E', 'UTF8', '--no-locale', '--no-sync'],
    {
      ...owner,
      stdio: 'ignore',
    },
  );
  const flags = Object.entries({ ...SETTINGS, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const config = { host: '127.0.0.1', port: 0, user: 'tester', database: 'postgres' };
  let child: ChildProcess | undefined;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || hasEnded(running)) return;
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
  /** That it is this very server that answers, and not another one on a port that somebody else was faster to take. */
  const isServing = async (): Promise<boolean> => {
    const [row] = await ask<{ folder: string }>("SELECT current_setting('data_directory') AS folder");
    return row?.folder === folder;
  };
  const start = async (choosePort?: () => Promise<number>): Promise<void> => {
    await until(async () => {
      // It ends at once where its port, or what a crash has left of it, is still taken.
      if (child === undefined || hasEnded(child)) {
        if (choosePort !== undefined) config.port = await choosePort();
        const argv = ['-D', folder, ...flags, '-p', `${config.port}`];
        child = spawn(program('postgres'), argv, { ...owner, stdio: 'ignore' });
      }
      return await isServing();
    }, START_LIMIT_MS);
  };
  const end = async (): Promise<void> => {
    await stop(STOPS.crash);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await start(freePort);
  } catch (error) {
    await end();
    throw error;
  }
  return {
    port: config.port,
    url: `postgres://tester@127.0.0.1:${config.port}/postgres`,
    config,
    ask,
    start: () => start(),
    stop: (how = 'fast') => stop(STOPS[how]),
    end,
  };
}

/** Of a server that recovers on a busy machine. */
const START_LIMIT_MS = 45_000;

const STOPS = { fast: 'SIGINT', smart: 'SIGTERM', crash: 'SIGQUIT' } as const;

/** Small, quick, and with nothing but its port to be reached by. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '16MB',
  fsync: 'off',
  deadlock_timeout: '50ms',
};

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

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
