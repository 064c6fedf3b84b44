import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { UNITS_PER_TOKEN } from '../../../src/limits/token-units.ts';
import type { WorkerOrder } from './worker.ts';

/** A process that retries as fast as it may. */
export interface Worker {
  /** Retries that it has told of so far, and that Redis granted. */
  readonly spent: number;
  /** Retries that it may have granted itself, because Redis did not answer in time, as on a machine that is busy. */
  readonly alone: number;
  /** Resolves when it is connected, or has ended. */
  readonly started: Promise<void>;
  /** Lets one begin that is held. */
  go(): void;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** Lets it end; resolves with its exit code. */
  stop(): Promise<number | null>;
}

/** Starts a process of the fleet. */
export function startWorker(order: WorkerOrder): Worker {
  // Node 22 warns about TypeScript; its words are no output of the worker.
  const args = ['--disable-warning=ExperimentalWarning', join(__dirname, 'worker.ts'), JSON.stringify(order)];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>(resolve => child.once('close', resolve));
  const { promise: started, resolve: start } = Promise.withResolvers<void>();
  void ended.then(() => start());
  let [spent, alone] = [0, 0];
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('{')) ({ spent, alone } = JSON.parse(line) as { spent: number; alone: number });
      else [spent = 0, alone = 0] = line.split(' ').map(Number);
    }
    start();
  });
  return {
    get spent() {
      return spent;
    },
    get alone() {
      return alone;
    },
    started,
    go: () => {
      child.stdin?.write('go\n');
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    stop: async () => {
      // One that has not come so far would be ended by the signal.
      await started;
      child.kill('SIGTERM');
      return await ended;
    },
  };
}

/** What Redis says of a budget, in tokens and in milliseconds of its own clock. */
export interface Ledger {
  readonly tokens: number;
  readonly granted: number;
  readonly at: number;
  readonly birth: number;
}

/** The key of a budget. */
export function keyOf(name: string): string {
  return `retryscope:budget:{${name}}`;
}

/** Reads the books of Redis. */
export async function readLedger(admin: Pick<Redis, 'hgetall'>, name: string): Promise<Ledger> {
  const { tokens, granted, at, birth } = await admin.hgetall(keyOf(name));
  return {
    tokens: Number(tokens) / UNITS_PER_TOKEN,
    granted: Number(granted) / UNITS_PER_TOKEN,
    at: Number(at),
    birth: Number(birth),
  };
}
