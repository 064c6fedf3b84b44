import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '../free-port.ts';

/** A server of our own, in a folder of its own, that takes connections on this port of 127.0.0.1. */
export interface Server {
  readonly port: number;
  end(): Promise<void>;
}

/** A server that keeps what it acknowledges, as PostgreSQL does by itself. Undefined where PostgreSQL is not installed. */
export async function startPostgres(): Promise<Server | undefined> {
  const programs = folderOf('initdb', globSync('/usr/lib/postgresql/*/bin').sort().reverse());
  if (programs === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'postgres-bench-'));
  const owner = postgresUser();
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  const initdb = ['-D', folder, '-A', 'trust', '-U', 'bench', '-E', 'UTF8', '--no-locale', '--no-sync'];
  execFileSync(join(programs, 'initdb'), initdb, { ...owner, stdio: 'ignore' });
  const port = await freePort();
  const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: '', shared_buffers: '16MB' };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(programs, 'postgres'), ['-D', folder, ...flags], { ...owner, stdio: 'ignore' });
  // SIGINT makes it leave at once, and tell its own children to.
  return { port, end: endOf(child, 'SIGINT', folder) };
}

/** A server that writes each command to its disk before it answers. Undefined where Redis is not installed. */
export async function startRedis(): Promise<Server | undefined> {
  const programs = folderOf('redis-server');
  if (programs === undefined) return undefined;
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'redis-bench-'));
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, ...durable];
  const child = spawn(join(programs, 'redis-server'), settings, { stdio: 'ignore' });
  return { port, end: endOf(child, 'SIGKILL', folder) };
}

/** librdkafka's mock cluster of one broker, which keeps everything in memory. Undefined where kcat is not installed. */
export async function startKafka(): Promise<Server | undefined> {
  const programs = folderOf('kcat');
  if (programs === undefined) return undefined;
  // It lives as long as it waits for messages to come from its input.
  const args = ['-X', 'test.mock.num.brokers=1', '-b', 'mock', '-P', '-t', 'keepalive'];
  const child = spawn(join(programs, 'kcat'), args, { stdio: ['pipe', 'ignore', 'pipe'] });
  const end = endOf(child, 'SIGKILL');
  return { port: await portOfKafka(child), end };
}

async function portOfKafka({ stderr }: ChildProcess): Promise<number> {
  if (stderr === null) throw new TypeError('kcat tells nothing');
  let said = '';
  for await (const chunk of stderr) {
    said += chunk;
    const port = /replaced with 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`kcat ended: ${said}`);
}

/** It ends with this process at the latest. */
function endOf(child: ChildProcess, signal: NodeJS.Signals, folder?: string): Server['end'] {
  const kill = (): boolean => child.kill(signal);
  process.once('exit', kill);
  return async () => {
    process.removeListener('exit', kill);
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      kill();
      await gone;
    }
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
}

/** Debian keeps some programs out of the PATH. */
function folderOf(program: string, first: readonly string[] = []): string | undefined {
  const folders = [...first, ...(process.env.PATH ?? '').split(delimiter)];
  return folders.find(folder => globSync(join(folder, program)).length > 0);
}

/** PostgreSQL refuses to run as root; its package brings a user for it. */
function postgresUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const number = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: number('-u'), gid: number('-g') };
}
