import { type ChildProcess, spawn } from 'node:child_process';
import { until } from './until.ts';

/** A program of our own that runs beside the test. */
export interface Server {
  readonly url: string;
  /** What it has printed so far. */
  output(): string;
  stop(): Promise<void>;
}

/**
 * Starts a program that serves HTTP, and waits until `readyPath` answers with a success.
 *
 * @throws Error with what the program has printed, when it ends before that
 */
export async function startServer(
  program: string,
  args: readonly string[],
  port: number,
  readyPath: string,
): Promise<Server> {
  const url = `http://127.0.0.1:${port}`;
  const child = launch(program, args);
  await until(async () => {
    if (child.ended()) throw new Error(`${program} ended:\n${child.output()}`);
    return (await fetch(`${url}${readyPath}`)).ok;
  });
  return { url, output: child.output, stop: child.stop };
}

/** A child process whose output is kept. */
export interface Launched {
  output(): string;
  ended(): boolean;
  stop(): Promise<void>;
}

/** Starts a program without a shell. */
export function launch(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Launched {
  let output = '';
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const keep = (chunk: unknown): void => {
    output += chunk;
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.on('error', error => keep(error.message));
  const gone = new Promise<void>(resolve => {
    child.once('close', () => resolve());
  });
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  return {
    output: () => output,
    ended,
    stop: async () => {
      if (!ended()) child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await gone;
      clearTimeout(timer);
    },
  };
}
