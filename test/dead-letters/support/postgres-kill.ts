import { readdirSync, readFileSync } from 'node:fs';
import { until } from '../../redis/support/until.ts';

/** Ends a server and all its processes as a power cut would, and resolves when none of them is left: kill -9. */
export async function killServer(serverPid: number): Promise<void> {
  // One that stands still starts no process which nobody would know of, and which would keep the next server from starting.
  send(serverPid, 'SIGSTOP');
  await until(() => statOf(serverPid)?.state === 'T' || !isAlive(serverPid));
  const all = [serverPid, ...childrenOf(serverPid)];
  for (const pid of all) send(pid, 'SIGKILL');
  await until(() => all.every(pid => !isAlive(pid)));
}

/** Ends one of its processes that serve a client, which the server answers by a restart of its own. */
export function killBackend(pid: number): void {
  send(pid, 'SIGKILL');
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(child => statOf(child)?.parent === pid);
}

/** A process that is only a name in its parent's list is not alive. */
function isAlive(pid: number): boolean {
  const state = statOf(pid)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}

function statOf(pid: number): { readonly state: string; readonly parent: number } | undefined {
  try {
    // The name in parentheses may hold anything.
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return state === undefined ? undefined : { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  // 0 and what is below are whole groups of processes, the run of the tests among them.
  if (!(Number.isInteger(pid) && pid > 1)) throw new RangeError(`${pid} is no process of the server`);
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
